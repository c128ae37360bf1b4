#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "posthorn/api/api.h"

namespace posthorn::api {

class PageSessions;

/// What a request shows, and what that allows.
class Credentials {
 public:
  /// Both outlive this; the token may change meanwhile.
  Credentials(const ApiOptions& options, PageSessions& sessions)
      : options_(options), sessions_(sessions) {}

  /// in_path: what stands where the grammar of the URL has the token; "" when nothing does. Also
  /// the header Authorization (Bearer, or Basic with the secret as password and any user name).
  [[nodiscard]] Right right_of(const Request& request, std::string_view in_path) const;
  /// Something that could be guessed was shown, right or wrong; a cookie cannot be.
  [[nodiscard]] static bool shows_any(const Request& request, std::string_view in_path);
  [[nodiscard]] Right of_secret(std::string_view secret) const;
  /// Bearer; Basic only where no foreign page can have made a browser show it.
  [[nodiscard]] Right of_header(const Request& request) const;

 private:
  const ApiOptions& options_;
  PageSessions& sessions_;
};

}  // namespace posthorn::api
