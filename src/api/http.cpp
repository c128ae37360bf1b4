#include "posthorn/api/http.h"

#include "posthorn/base/log.h"

namespace posthorn::api {

std::string_view Request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

Reply::~Reply() {
  if (!sink_) return;
  log::error("api", "a request was dropped unanswered");
  sink_(Response{.status = 500, .body = {}, .headers = {}});
}

}  // namespace posthorn::api
