#include "api/openapi.h"

#include "api/openapi_text.h"

namespace posthorn::api {

std::string_view openapi() { return kOpenApi; }

}  // namespace posthorn::api
