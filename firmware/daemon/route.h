#pragma once

#include <functional>
#include <string>

#include "posthorn/api/api.h"

/// Routes that the daemon adds to the API: ten calls a second, with the till's right.
namespace posthorn::daemon {

[[nodiscard]] inline api::Route get(std::string name, std::function<void(api::Call)> handler) {
  api::Route route;
  route.name = std::move(name);
  route.verb = api::Verb::get;
  route.per_second = 10;
  route.handler = std::move(handler);
  return route;
}

/// Its body is JSON.
[[nodiscard]] inline api::Route post(std::string name, std::function<void(api::Call)> handler) {
  api::Route route = get(std::move(name), std::move(handler));
  route.verb = api::Verb::post;
  route.needs = api::Needs::body;
  return route;
}

/// With the technician's right instead.
[[nodiscard]] inline api::Route care(api::Route route) {
  route.right = api::Right::care;
  return route;
}

}  // namespace posthorn::daemon
