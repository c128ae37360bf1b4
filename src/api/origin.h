#pragma once

#include "posthorn/api/http.h"

namespace posthorn::api {

/// False: a page of another origin made a browser send it. Where a browser names no origin (most
/// GETs) it is true.
[[nodiscard]] bool names_no_other_origin(const Request& request);

}  // namespace posthorn::api
