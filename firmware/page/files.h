#pragma once

#include <span>

#include "posthorn/api/page.h"

namespace posthorn::page {

/// What firmware/page/build made of the page, as it was when this program was built; none where it
/// was built without.
[[nodiscard]] std::span<const api::PageFile> files();

}  // namespace posthorn::page
