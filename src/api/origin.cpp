#include "api/origin.h"

namespace posthorn::api {

bool names_no_other_origin(const Request& request) {
  return request.origin.empty() || request.origin == "http://" + request.host ||
         request.origin == "https://" + request.host;
}

}  // namespace posthorn::api
