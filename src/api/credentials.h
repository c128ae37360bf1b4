#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "posthorn/api/api.h"

namespace posthorn::api {

/// What a request shows, and what that allows. A later way to show a right (the page's cookie) is
/// one more line in right_of().
class Credentials {
 public:
  explicit Credentials(const ApiOptions& options) : options_(options) {}

  /// in_path: what stands where the grammar of the URL has the token; "" when nothing does. Also
  /// the header Authorization (Bearer, or Basic with the secret as password and any user name).
  [[nodiscard]] Right right_of(const Request& request, std::string_view in_path) const;
  /// Something was shown, right or wrong.
  [[nodiscard]] static bool shows_any(const Request& request, std::string_view in_path);

 private:
  [[nodiscard]] Right of_secret(std::string_view secret) const;
  [[nodiscard]] Right of_header(std::string_view authorization) const;

  const ApiOptions& options_;
};

}  // namespace posthorn::api
