#pragma once

#include <string_view>

namespace posthorn::api {

/// The whole of Green-API's contract as this box answers it, in OpenAPI 3.1: GET /openapi.json.
[[nodiscard]] std::string_view openapi();

}  // namespace posthorn::api
