#pragma once

#include <vector>

#include "posthorn/session/line.h"

namespace posthorn::chat {

/// The stanzas that show a chat "typing…", or end it (chapter 12 sections 2 and 3). WhatsApp shows
/// it only of somebody who is available, so we are for just as long; otherwise the shop's phone
/// would get no notifications. `to`: the chat as its messages name it. Empty while we have no push
/// name, without which nobody can be available.
[[nodiscard]] std::vector<wire::Node> build_typing(const session::Identity& self,
                                                   const wire::Jid& to, bool on);

}  // namespace posthorn::chat
