#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

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

/// One that a machine in a network can have: 4 or 16 bytes; nullopt: none, or only of this machine
/// or its cable (unspecified, loopback, link-local, multicast).
std::optional<std::string> address_of(const std::string& text) {
  std::array<char, 16> bytes{};
  const bool v4 = inet_pton(AF_INET, text.c_str(), bytes.data()) == 1;
  if (!v4 && inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
  const std::string out(bytes.data(), v4 ? 4 : 16);
  const auto byte = [&out](std::size_t i) { return static_cast<unsigned char>(out[i]); };
  if (v4) {
    const bool link_local = byte(0) == 169 && byte(1) == 254;
    if (byte(0) == 0 || byte(0) == 127 || byte(0) >= 224 || link_local) return std::nullopt;
    return out;
  }
  const bool low = std::all_of(out.begin(), out.end() - 1, [](char c) { return c == 0; });
  const bool link_local = byte(0) == 0xFE && (byte(1) & 0xC0) == 0x80;
  if (low || byte(0) == 0xFF || link_local) return std::nullopt;
  return out;
}

bool is_link_local_v6(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1 && bytes[0] == 0xFE &&
         (bytes[1] & 0xC0) == 0x80;
}

/// Whether all bits behind the prefix are equal to `bit`: of IPv4, the network or its broadcast.
bool rest_is(const std::string& address, unsigned prefix, unsigned bit) {
  for (unsigned i = prefix; i < address.size() * 8; ++i) {
    if (((static_cast<unsigned char>(address[i / 8]) >> (7 - i % 8)) & 1U) != bit) return false;
  }
  return true;
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
  const auto bytes = address_of(host);
  const bool v6 = host.find(':') != std::string::npos;
  unsigned bits = 0;
  if (slash != std::string_view::npos) {
    const std::string_view text = value.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (error != std::errc{} || end != text.data() + text.size()) bits = 0;
  }
  const bool network = bytes && !v6 && (rest_is(*bytes, bits, 0) || rest_is(*bytes, bits, 1));
  if (!bytes || bits < 8 || bits > (v6 ? 128 : 30) || network) {
    return fail(Errc::malformed,
                "must be dhcp or an address of the shop's network with its prefix, like "
                "192.168.1.20/24");
  }
  return std::string(value);
}

Result<std::string> gateway(std::string_view value) {
  // Routers of IPv6 are commonly reached by their link-local address.
  const std::string text(value);
  if (!address_of(text) && !is_link_local_v6(text)) {
    return fail(Errc::malformed, "must be the router's address, like 192.168.1.1");
  }
  return text;
}

/// Addresses with spaces or commas between.
Result<std::string> dns(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find_first_of(" ,;\t"), value.size());
    const std::string one(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    if (one.empty()) continue;
    if (!address_of(one)) {
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

Result<std::string> id_instance(std::string_view value) {
  if (value.size() != 10 || value.find_first_not_of(kDigits) != std::string_view::npos ||
      value.front() == '0') {
    return fail(Errc::malformed, "must be 10 digits, like 7100000001");
  }
  return std::string(value);
}

Result<std::string> months(std::string_view value) {
  unsigned count = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (error != std::errc{} || end != value.data() + value.size() || count > 600) {
    return fail(Errc::malformed, "must be a number of months from 0 to 600");
  }
  return std::to_string(count);
}

Result<std::string> page_password(std::string_view value) {
  if (value.size() < 8 || value.size() > 128) {
    return fail(Errc::malformed, "must have 8 to 128 characters");
  }
  return std::string(value);
}

constexpr std::array<Key, 15> kKeys{{
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
    {"number_in_use_months", Kind::plain, Belongs::to_the_box, months},
    {"id_instance", Kind::plain, Belongs::to_the_box, id_instance},
    {"api_token", Kind::secret, Belongs::to_the_box, api_token},
    {"care_token", Kind::secret, Belongs::to_the_box, api_token},
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
