#pragma once

#include "chat/people/names.h"
#include "posthorn/base/content.h"
#include "posthorn/base/result.h"

namespace posthorn::chat {

/// People who are named in a text, as chatIds, and in the text by their numbers where we know them:
/// nobody in the shop knows a LID. Errors: io.
Result<void> name_mentioned(Names& names, Content& content);

}  // namespace posthorn::chat
