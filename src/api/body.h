#pragma once

#include <string>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

namespace posthorn::api {

/// The JSON object in a request's body; {} when there is none. Errors: malformed, with the words of
/// the 400 answer.
[[nodiscard]] Result<json::Value> parse_body(const std::string& body);

}  // namespace posthorn::api
