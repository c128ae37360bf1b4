#pragma once

#include <vector>

#include "session/link.h"

namespace posthorn::session {

/// The stanzas that show a chat "typing…", or end it (chapter 12 sections 2 and 3). WhatsApp shows
/// it only of somebody who is available, so we are for just as long; otherwise the shop's phone
/// would get no notifications. `to`: the chat as its messages name it. Empty while we have no push
/// name, without which nobody can be available.
[[nodiscard]] std::vector<wire::Node> build_typing(const Identity& self, const wire::Jid& to,
                                                   bool on);

}  // namespace posthorn::session
