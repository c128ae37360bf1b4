#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "posthorn/base/bytes.h"
#include "posthorn/base/proxy.h"
#include "setup/settings.h"

namespace posthorn::setup {

namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";

bool only(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [more](char c) {
    return kLetters.find(c) != std::string_view::npos ||
           kDigits.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos;
  });
}

bool is_address(const std::string& text) {
  std::array<char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

Result<std::string> host_name(std::string_view value) {
  if (value.empty() || value.size() > 63 || !only(value, "-") || value.front() == '-' ||
      value.back() == '-') {
    return fail(Errc::malformed, "must be 1 to 63 letters, digits and hyphens, like shop-box");
  }
  return std::string(value);
}

/// "192.168.1.20/24" or "dhcp"
Result<std::string> address(std::string_view value) {
  if (value == "dhcp") return std::string(value);
  const std::size_t slash = value.find('/');
  const std::string host(value.substr(0, slash));
  const bool v6 = host.find(':') != std::string::npos;
  int bits = 0;
  if (slash != std::string_view::npos) {
    const std::string_view text = value.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (error != std::errc{} || end != text.data() + text.size()) bits = 0;
  }
  if (!is_address(host) || bits < 8 || bits > (v6 ? 128 : 30)) {
    return fail(Errc::malformed,
                "must be dhcp or an address with its prefix, like 192.168.1.20/24");
  }
  return std::string(value);
}

Result<std::string> gateway(std::string_view value) {
  if (!is_address(std::string(value))) {
    return fail(Errc::malformed, "must be an address, like 192.168.1.1");
  }
  return std::string(value);
}

/// Addresses with spaces or commas between.
Result<std::string> dns(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find_first_of(" ,;\t"), value.size());
    const std::string one(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    if (one.empty()) continue;
    if (!is_address(one)) {
      return fail(Errc::malformed, "must be addresses, like 192.168.1.1 9.9.9.9");
    }
    out += (out.empty() ? "" : " ") + one;
  }
  if (out.empty()) return fail(Errc::malformed, "must be addresses, like 192.168.1.1 9.9.9.9");
  return out;
}

Result<std::string> wifi_name(std::string_view value) {
  if (value.empty() || value.size() > 32) {
    return fail(Errc::malformed, "must be the network's name, 1 to 32 bytes");
  }
  return std::string(value);
}

Result<std::string> wifi_password(std::string_view value) {
  const bool printable =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  const bool phrase = value.size() >= 8 && value.size() <= 63 && printable;
  const bool key = value.size() == 64 && hex_decode(value).has_value();
  if (!phrase && !key) {
    return fail(Errc::malformed, "must be 8 to 63 plain characters, or 64 of 0-9 and a-f");
  }
  return std::string(value);
}

Result<std::string> wifi_country(std::string_view value) {
  if (value.size() != 2 || value.find_first_not_of(kLetters) != std::string_view::npos) {
    return fail(Errc::malformed, "must be a country's two letters, like DE");
  }
  std::string out(value);
  for (char& c : out) c = static_cast<char>(c & ~0x20);
  return out;
}

Result<std::string> time_server(std::string_view value) {
  if (value.empty() || value.size() > 253 || !only(value, ".-:") || value.front() == '-') {
    return fail(Errc::malformed, "must be a host name or an address, like 0.pool.ntp.org");
  }
  return std::string(value);
}

/// Whether the zone exists is seen where it is applied.
Result<std::string> time_zone(std::string_view value) {
  const bool shape = !value.empty() && value.size() <= 64 && only(value, "/_+-") &&
                     kLetters.find(value.front()) != std::string_view::npos &&
                     value.find("//") == std::string_view::npos && value.back() != '/';
  if (!shape) return fail(Errc::malformed, "must be a zone's name, like Europe/Berlin");
  return std::string(value);
}

Result<std::string> proxy(std::string_view value) {
  TRY(parse_proxy(value));
  return std::string(value);
}

Result<std::string> api_token(std::string_view value) {
  const bool shape =
      value.size() == 50 && value.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!shape) return fail(Errc::malformed, "must be 50 characters of 0-9 and a-f");
  return std::string(value);
}

Result<std::string> page_password(std::string_view value) {
  if (value.size() < 8 || value.size() > 128) {
    return fail(Errc::malformed, "must have 8 to 128 characters");
  }
  return std::string(value);
}

constexpr std::array<Key, 12> kKeys{{
    {"host_name", Kind::plain, Belongs::to_the_box, host_name},
    {"address", Kind::plain, Belongs::to_the_network, address},
    {"gateway", Kind::plain, Belongs::to_the_network, gateway},
    {"dns", Kind::plain, Belongs::to_the_network, dns},
    {"wifi_name", Kind::plain, Belongs::to_the_network, wifi_name},
    {"wifi_password", Kind::secret, Belongs::to_the_network, wifi_password},
    {"wifi_country", Kind::plain, Belongs::to_the_network, wifi_country},
    {"time_server", Kind::plain, Belongs::to_the_network, time_server},
    {"time_zone", Kind::plain, Belongs::to_the_box, time_zone},
    {"proxy", Kind::secret, Belongs::to_the_network, proxy},
    {"api_token", Kind::secret, Belongs::to_the_box, api_token},
    {"page_password", Kind::secret, Belongs::to_the_box, page_password},
}};

}  // namespace

std::span<const Key> known_keys() { return kKeys; }

const Key* find_key(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const bool capital = c >= 'A' && c <= 'Z';
    plain += capital ? static_cast<char>(c | 0x20) : (c == '-' || c == ' ') ? '_' : c;
  }
  for (const Key& key : kKeys) {
    if (key.name == plain) return &key;
  }
  return nullptr;
}

}  // namespace posthorn::setup
