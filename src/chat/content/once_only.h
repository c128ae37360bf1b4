#pragma once

#include "posthorn/base/content.h"

namespace posthorn::chat {

/// What may be seen once is told, and nothing of it is kept that would show it again. around: the
/// wrapper said so. False: it is nothing of that kind.
bool keep_once_only(Content& content, bool around);

}  // namespace posthorn::chat
