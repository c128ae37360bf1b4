#include "setup/plan.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "posthorn/base/bytes.h"
#include "setup/toml_keys.h"

namespace posthorn::setup {

namespace {

constexpr const char* kWired = "/run/systemd/network/10-posthorn-wired.network";
constexpr const char* kWireless = "/run/systemd/network/10-posthorn-wireless.network";
constexpr const char* kTimeServer = "/run/systemd/timesyncd.conf.d/posthorn.conf";
constexpr const char* kWifiDevice = "wlan0";

class Planner {
 public:
  Planner(const Settings& settings, const std::string& toml, bool has_zone)
      : settings_(settings), toml_(toml), has_zone_(has_zone) {}

  Plan run() {
    host_name();
    network();
    time();
    daemon();
    for (const char* path : {kWired, kTimeServer}) {
      if (!is_planned(path)) plan_.stale.emplace_back(path);
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    const auto found = settings_.find(key);
    return found == settings_.end() ? std::nullopt : std::optional(found->second);
  }

  [[nodiscard]] bool is_planned(std::string_view path) const {
    return std::any_of(plan_.files.begin(), plan_.files.end(),
                       [path](const PlannedFile& file) { return file.path == path; });
  }

  void host_name() {
    const auto name = get("host_name");
    if (!name) return;
    plan_.files.push_back({"/etc/hostname", *name + "\n"});
    plan_.files.push_back({"/etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\t" + *name +
                                             "\n::1\tlocalhost ip6-localhost ip6-loopback\n"});
    plan_.commands.push_back({"hostname", *name});
  }

  void network() {
    const auto wifi = get("wifi_name");
    const auto address = get("address");
    const bool fixed = address && *address != "dhcp";
    if (!fixed && (get("gateway"))) {
      unused("gateway", "counts only beside an address of the box's own");
    }
    // A fixed address belongs to the network that was named: the wireless one if there is one.
    if (fixed && !wifi) {
      plan_.files.push_back(
          {kWired, "[Match]\nName=en* eth*\n\n[Network]\n" + addresses(*address)});
    } else if (const auto dns = get("dns"); dns && !wifi) {
      plan_.files.push_back({kWired, "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n" +
                                         dns_lines(*dns) + "\n[DHCPv4]\nUseDNS=no\n"});
    }
    if (wifi) wireless(*wifi, fixed ? address : std::nullopt);
    for (const char* key : {"wifi_password", "wifi_country"}) {
      if (!wifi && get(key)) unused(key, "counts only with wifi_name");
    }
  }

  static std::string dns_lines(const std::string& dns) {
    std::string out;
    std::size_t at = 0;
    while (at < dns.size()) {
      const std::size_t end = std::min(dns.find(' ', at), dns.size());
      out += "DNS=" + dns.substr(at, end - at) + "\n";
      at = end + 1;
    }
    return out;
  }

  std::string addresses(const std::string& address) {
    std::string out = "DHCP=no\nAddress=" + address + "\n";
    const auto gateway = get("gateway");
    if (gateway && address.substr(0, address.find('/')) == *gateway) {
      unused("gateway", "is the box's own address: it must be the router's");
    } else if (gateway && !reaches(address, *gateway)) {
      unused("gateway", *gateway + " is not in the network of " + address);
    } else if (gateway) {
      return out + "Gateway=" + *gateway + "\n" + dns_lines(get("dns").value_or(*gateway));
    }
    used_but("address", "without a gateway that it reaches the box does not reach the Internet");
    return out + dns_lines(get("dns").value_or(""));
  }

  void unused(std::string key, std::string sentence) {
    plan_.troubles.push_back({std::move(key), std::move(sentence), false});
  }
  void used_but(std::string key, std::string sentence) {
    plan_.troubles.push_back({std::move(key), std::move(sentence), true});
  }

  /// Whether the gateway lies in the address's own network.
  static bool reaches(const std::string& address, const std::string& gateway) {
    const std::size_t slash = address.find('/');
    unsigned bits = 0;
    std::from_chars(address.data() + slash + 1, address.data() + address.size(), bits);
    std::array<unsigned char, 16> a{};
    std::array<unsigned char, 16> b{};
    const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
    if (inet_pton(family, address.substr(0, slash).c_str(), a.data()) != 1) return false;
    if (inet_pton(family, gateway.c_str(), b.data()) != 1) return false;
    // Routers of IPv6 are commonly reached by their link-local address.
    if (family == AF_INET6 && b[0] == 0xFE && (b[1] & 0xC0) == 0x80) return true;
    for (unsigned bit = 0; bit < bits; ++bit) {
      const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
      if (((a[bit / 8] ^ b[bit / 8]) & mask) != 0) return false;
    }
    return true;
  }

  void wireless(const std::string& name, const std::optional<std::string>& address) {
    plan_.files.push_back(
        {kWireless, std::string("[Match]\nName=wl*\n\n[Network]\n") +
                        (address ? addresses(*address)
                                 : "DHCP=yes\n" + dns_lines(get("dns").value_or("")) +
                                       "\n[DHCPv4]\nRouteMetric=600\n")});
    std::string text = "update_config=0\n";
    if (const auto country = get("wifi_country")) {
      text += "country=" + *country + "\n";
    } else {
      used_but("wifi_name", "without wifi_country only channels allowed everywhere are used");
    }
    // The name in hexadecimal: no character of it can end the line or the block.
    text += "network={\n  ssid=" + hex_encode(as_bytes(name)) + "\n  scan_ssid=1\n";
    const auto password = get("wifi_password");
    if (!password) {
      text += "  key_mgmt=NONE\n";
    } else if (password->size() == 64) {
      text += "  key_mgmt=WPA-PSK\n  psk=" + *password + "\n";
    } else {
      // wpa_supplicant ends such a value at its last quote, so quotes inside need no escape.
      text +=
          "  key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n  ieee80211w=1\n  psk=\"" + *password + "\"\n";
    }
    text += "}\n";
    plan_.files.push_back(
        {std::string("/etc/wpa_supplicant/wpa_supplicant-") + kWifiDevice + ".conf", text, 0600,
         false});
    plan_.commands.push_back({"systemctl", "--no-block", "start",
                              std::string("wpa_supplicant@") + kWifiDevice + ".service"});
  }

  void time() {
    if (const auto server = get("time_server")) {
      plan_.files.push_back({kTimeServer, "[Time]\nNTP=" + *server + "\n"});
    }
    const auto zone = get("time_zone");
    if (!zone) return;
    if (!has_zone_) {
      unused("time_zone", *zone + " is unknown to this system: a name like Europe/Berlin");
      return;
    }
    plan_.files.push_back({"/etc/timezone", *zone + "\n"});
    plan_.links.emplace_back("/etc/localtime", "/usr/share/zoneinfo/" + *zone);
  }

  void daemon() {
    std::vector<TomlKey> keys;
    const auto add = [&](const char* setting, const char* section, const char* key,
                         bool number = false) {
      if (const auto value = get(setting)) keys.push_back({section, key, *value, number});
    };
    if (has_zone_) add("time_zone", "throttle", "time_zone");
    add("proxy", "network", "proxy");
    add("number_in_use_months", "throttle", "number_in_use_months", true);
    add("id_instance", "api", "id_instance", true);
    add("api_token", "api", "token");
    add("care_token", "api", "care_token");
    add("page_password", "api", "page_password");
    if (keys.empty()) return;
    auto text = set_toml_keys(toml_, keys);
    if (!text) {
      unused("posthorn.toml", text.error().detail);
      return;
    }
    plan_.files.push_back({"/run/posthorn/posthorn.toml", std::move(*text), 0640, true});
  }

  const Settings& settings_;
  const std::string& toml_;
  bool has_zone_;
  Plan plan_;
};

}  // namespace

Plan make_plan(const Settings& settings, const std::string& toml, bool has_zone) {
  return Planner(settings, toml, has_zone).run();
}

}  // namespace posthorn::setup
