#pragma once

#include "posthorn/base/content.h"
#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

namespace posthorn {

/// Content as a record keeps it: members of a JSON object that has others beside them. "kind" is
/// its number, stored: do not renumber (0: it only ever comes in, and is not kept).
void store_content(const Content& content, json::Value& out);
/// Unknown members are stepped over, absent ones take their defaults. Errors: malformed (no kind),
/// unsupported (a kind of a later release).
[[nodiscard]] Result<Content> restore_content(const json::Value& in);

}  // namespace posthorn
