#include "api/host_names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "posthorn/api/green_api_names.h"
#include "posthorn/base/ascii.h"

namespace posthorn::api {

namespace {

/// Never delegated in the public DNS: RFC 6761, 6762, 8375, ICANN's .internal (2024), and what
/// routers of homes and shops hand out. fritz.box belongs to the maker of those routers.
constexpr std::array<std::string_view, 12> kPrivate{
    ".local",    ".localhost", ".lan",     ".home", ".home.arpa",   ".internal",
    ".intranet", ".corp",      ".private", ".test", ".localdomain", ".fritz.box"};

constexpr std::string_view kGreenApi = "green-api.com";

/// Without port, brackets and the dot of a full name.
std::string name_of(std::string_view host) {
  if (host.starts_with('['))
    return ascii_lower(host.substr(1, std::min(host.find(']'), host.size()) - 1));
  std::string_view name = host.substr(0, host.find(':'));
  if (name.ends_with('.')) name.remove_suffix(1);
  return ascii_lower(name);
}

bool is_address(std::string_view host, const std::string& name) {
  std::array<unsigned char, 16> bytes{};
  if (host.starts_with('[')) {
    return inet_pton(AF_INET6, name.substr(0, name.find('%')).c_str(), bytes.data()) == 1;
  }
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1;
}

}  // namespace

bool is_green_api_name(std::string_view name) {
  if (!name.ends_with(kGreenApi)) return false;
  name.remove_suffix(kGreenApi.size());
  return name.empty() || name.ends_with('.');
}

std::vector<std::string> green_api_names(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  std::copy_if(names.begin(), names.end(), std::back_inserter(out),
               [](const std::string& one) { return is_green_api_name(one); });
  return out;
}

bool is_our_host(std::string_view host, const std::vector<std::string>& names) {
  if (host.empty()) return true;  // HTTP/1.0; a browser always sends one
  const std::string name = name_of(host);
  if (name.empty()) return false;
  if (is_address(host, name) || name.find('.') == std::string::npos) return true;
  // No stranger can register a name there either.
  if (is_green_api_name(name)) return true;
  if (std::any_of(kPrivate.begin(), kPrivate.end(),
                  [&name](std::string_view suffix) { return name.ends_with(suffix); })) {
    return true;
  }
  return std::any_of(names.begin(), names.end(),
                     [&name](const std::string& one) { return ascii_lower(one) == name; });
}

}  // namespace posthorn::api
