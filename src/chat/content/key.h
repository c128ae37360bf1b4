#pragma once

#include <string>

#include "chat/content/build.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// How a message names the earlier one that it is about (chapter 07 section 4). Errors: unsupported
/// (nothing is known of that one).
[[nodiscard]] Result<wa::MessageKey> key_of(const std::string& id, const Outgoing& outgoing);

}  // namespace posthorn::chat
