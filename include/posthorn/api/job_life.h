#pragma once

#include <optional>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::api {

/// `expiresIn` of a request that sends, or that asks what sending would do: whole hours, 1 to 168,
/// as a number or as text. nullopt: not said, so as long as the box keeps jobs.
/// Errors: malformed, with the whole message of the 400 answer.
[[nodiscard]] Result<std::optional<hours>> parse_job_life(const json::Value& body);

}  // namespace posthorn::api
