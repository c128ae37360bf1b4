#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chat/receive/envelope.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/session/events.h"
#include "posthorn/session/line.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// <ack> for a stanza that was received. error: nack code, 0 for none.
/// Source: chapters 04 section 7, 06 section 7.3.
[[nodiscard]] wire::Node build_ack(const wire::Node& stanza, const session::Identity& self,
                                   int error = 0);

/// Whether others see the account as there.
enum class Available : bool { no, yes };
/// <receipt> that says the message is stored here. Source: chapter 06 section 7.1.
[[nodiscard]] wire::Node build_delivery_receipt(const Envelope& envelope,
                                                const session::Identity& self, Available available);

/// A <receipt> as it comes in. Source: chapter 06 section 10, 04 section 7.5.
struct IncomingReceipt {
  enum class Kind : std::uint8_t {
    delivered,
    read,
    played,
    read_self,  ///< read on another device of ours
    retry,
    other,  ///< inactive, sender, peer_msg, server-error …: acked, nothing else
  };
  Kind kind = Kind::other;
  wire::Jid from;
  std::optional<wire::Jid> participant;
  std::optional<wire::Jid> recipient;
  Wall when;
  std::vector<std::string> ids;
};

/// now: for receipts without a time. Errors: malformed (no id or from).
[[nodiscard]] Result<IncomingReceipt> parse_receipt(const wire::Node& stanza, Wall now);

}  // namespace posthorn::chat
