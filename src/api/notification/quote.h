#pragma once

#include "api/notification/kinds.h"

namespace posthorn::api {

/// Green-API's quotedMessage, the same beside each kind that answers something.
[[nodiscard]] json::Value show_quote(const Quote& quote);

}  // namespace posthorn::api
