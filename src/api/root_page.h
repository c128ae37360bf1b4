#pragma once

#include <cstdint>

#include "posthorn/api/http.h"

namespace posthorn::api {

/// What http://BOX/ says to whoever found the box by its address: what it is, how it is linked,
/// where the id and token are. Nothing of the shop.
[[nodiscard]] Response root_page();

}  // namespace posthorn::api
