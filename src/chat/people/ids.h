#pragma once

#include <string>

#include "posthorn/base/result.h"
#include "posthorn/session/line.h"
#include "posthorn/signal/address.h"
#include "posthorn/wire/jid.h"

namespace posthorn::chat {

/// Green-API's chatId as a JID: "4915550001234@c.us", "…@g.us", "…@lid", also "…@s.whatsapp.net".
/// Errors: malformed.
[[nodiscard]] Result<wire::Jid> parse_chat_id(const std::string& chat);

/// The Signal address of a device.
[[nodiscard]] signal::Address address_of(const wire::Jid& device);

/// The same person as one of our two own names.
[[nodiscard]] bool is_own_user(const session::Identity& self, const wire::Jid& jid);
/// hosted -> s.whatsapp.net, hosted.lid -> lid; the device stays.
[[nodiscard]] wire::Jid from_hosted(wire::Jid jid);

}  // namespace posthorn::chat
