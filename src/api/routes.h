#pragma once

#include <span>
#include <string_view>

#include "api/handlers.h"

namespace posthorn::api {

struct BuiltInRoute {
  std::string_view name;
  Verb verb;
  double per_second;  ///< Green-API's limit, section "rate limiter" of its documentation
  Needs needs;
  void (*handler)(Context& context, Call call);
};

[[nodiscard]] std::span<const BuiltInRoute> built_in_routes();

}  // namespace posthorn::api
