#pragma once

#include "posthorn/chat/presence.h"
#include "posthorn/session/line.h"

namespace posthorn::chat {

/// Shows the account as online, or not (chapter 12 section 2). Needs a push name.
[[nodiscard]] wire::Node build_presence(const session::Identity& self, bool available);

/// Shows a chat "typing…", or ends it (chapter 12 section 3). `to`: the chat as its messages name
/// it.
[[nodiscard]] wire::Node build_typing(const wire::Jid& to, Typing what);

}  // namespace posthorn::chat
