#include "api/credentials.h"

#include <algorithm>
#include <optional>

#include "api/origin.h"
#include "api/page/sessions.h"
#include "api/target.h"
#include "posthorn/base/bytes.h"

namespace posthorn::api {

namespace {

bool is_same(std::string_view given, std::string_view secret) {
  return !secret.empty() && equal_constant_time(as_bytes(given), as_bytes(secret));
}

/// What follows "Bearer " or "Basic ", whose letters may have any case.
std::optional<std::string_view> behind(std::string_view text, std::string_view scheme) {
  if (text.size() <= scheme.size() || text[scheme.size()] != ' ') return std::nullopt;
  const bool same = std::equal(scheme.begin(), scheme.end(), text.begin(), [](char a, char b) {
    return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
  });
  if (!same) return std::nullopt;
  text.remove_prefix(scheme.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

/// A browser that was given Basic once shows it whichever page makes it ask. What tells a foreign
/// page: its origin; Sec-Fetch-Site; and where both are missing, as with a picture by plain HTTP,
/// nothing, so that methods (logout is a GET) then take Basic from no browser.
bool may_be_foreign_page(const Request& request) {
  if (!names_no_other_origin(request)) return true;
  if (!request.fetch_site.empty()) {
    return request.fetch_site != "same-origin" && request.fetch_site != "none";
  }
  return request.from_browser && request.origin.empty() && !request.from_page &&
         PathParts(request.path)[0].starts_with("waInstance");
}

}  // namespace

Right Credentials::of_secret(std::string_view secret) const {
  if (is_same(secret, options_.care_token)) return Right::care;
  if (is_same(secret, options_.token)) return Right::send;
  return Right::none;
}

Right Credentials::of_header(const Request& request) const {
  if (const auto token = behind(request.authorization, "bearer")) return of_secret(*token);
  const auto basic = behind(request.authorization, "basic");
  if (!basic || may_be_foreign_page(request)) return Right::none;
  const auto decoded = base64_decode(*basic);
  if (!decoded) return Right::none;
  const std::string_view pair = as_text(*decoded);
  const std::size_t colon = pair.find(':');
  if (colon == std::string_view::npos) return Right::none;
  const std::string_view password = pair.substr(colon + 1);
  // Made for people to remember, so only where a person types it.
  if (is_same(password, options_.page_password)) return Right::care;
  return of_secret(password);
}

Right Credentials::right_of(const Request& request, std::string_view in_path) const {
  const Right shown = std::max(of_secret(in_path), of_header(request));
  // Looked at last: it counts as use of the session.
  return shown == Right::none && sessions_.holds(request) ? Right::care : shown;
}

bool Credentials::shows_any(const Request& request, std::string_view in_path) {
  return !in_path.empty() || !request.authorization.empty();
}

}  // namespace posthorn::api
