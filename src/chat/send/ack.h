#pragma once

#include <optional>
#include <string>

#include "posthorn/base/time.h"
#include "posthorn/session/events.h"
#include "posthorn/throttle/sender.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// What follows from the ack of a message of ours, besides its outcome.
struct AckReading {
  throttle::SendOutcome outcome;
  std::optional<session::Restriction> restriction;  ///< 463, 475, 429
  bool refresh_devices = false;                     ///< a phash came: our device lists are stale
  bool refresh_lid = false;
  bool rebuild_and_retry = false;  ///< 479: once, with new sessions
  bool issue_token = false;        ///< 463
};

/// chat: Green-API chatId of the message. now: when the ack has no time.
/// Source: chapters 06 section 5, 04 section 10.2.
[[nodiscard]] AckReading read_ack(const wire::Node& ack, const std::string& chat, Wall now);

}  // namespace posthorn::chat
