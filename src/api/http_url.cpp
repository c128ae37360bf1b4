#include "api/http_url.h"

#include <algorithm>
#include <charconv>

namespace posthorn::api {

namespace {

bool has_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size() &&
         std::equal(scheme.begin(), scheme.end(), text.begin(), [](char wanted, char c) {
           return (c >= 'A' && c <= 'Z' ? c | 0x20 : c) == wanted;
         });
}

/// Visible ASCII without what RFC 3986 allows nowhere.
bool may_stand(char c) {
  constexpr std::string_view kNowhere = "\"<>\\^`{|}";
  return c > 0x20 && c < 0x7F && kNowhere.find(c) == std::string_view::npos;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65535;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.find_first_of("[]:@") == std::string_view::npos;
}

bool is_authority(std::string_view text) {
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos)
    text.remove_prefix(at + 1);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    if (text.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.%") !=
        std::string_view::npos) {
      return false;
    }
    text.remove_prefix(end + 1);
    return text.empty() || (text.front() == ':' && is_port(text.substr(1)));
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return is_host(text);
  return is_host(text.substr(0, colon)) && is_port(text.substr(colon + 1));
}

}  // namespace

bool is_http_url(std::string_view text) {
  if (has_scheme(text, "http://")) {
    text.remove_prefix(7);
  } else if (has_scheme(text, "https://")) {
    text.remove_prefix(8);
  } else {
    return false;
  }
  return std::all_of(text.begin(), text.end(), may_stand) &&
         is_authority(text.substr(0, text.find_first_of("/?#")));
}

}  // namespace posthorn::api
