#pragma once

#include <string>
#include <string_view>

#include "posthorn/api/http.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::api {

/// The cloud's error form. path: as the client sent it.
[[nodiscard]] Response error_response(int status, std::string_view message, std::string_view path,
                                      Wall now);

struct HttpError {
  int status = 500;
  std::string message;
};
/// The one table from our errors to HTTP: malformed 400 with its own words, busy 429, full 466,
/// disconnected and timeout 502, and so on.
[[nodiscard]] HttpError to_http(const Error& error);

/// 466: the queue is full. used, total: jobs.
[[nodiscard]] Response quota_response(std::string_view method, std::uint64_t used);

}  // namespace posthorn::api
