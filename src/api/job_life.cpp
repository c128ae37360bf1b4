#include "posthorn/api/job_life.h"

#include "api/fields.h"

namespace posthorn::api {

Result<std::optional<hours>> parse_job_life(const json::Value& body) {
  constexpr std::int64_t kLongestHours = 168;
  TRY(const auto asked, number_between(body, "expiresIn", 1, kLongestHours));
  return asked ? std::optional(hours(*asked)) : std::nullopt;
}

}  // namespace posthorn::api
