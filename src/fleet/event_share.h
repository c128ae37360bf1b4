#pragma once

#include <optional>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/json.h"
#include "posthorn/fleet/settings.h"

namespace posthorn::fleet {

/// What leaves the shop of one notification.
struct SharedEvent {
  std::string type;     ///< typeWebhook, for the topic
  std::string payload;  ///< JSON
};

/// A chat as the centre may know it: the first 16 hex digits of HMAC-SHA-256 over its id.
[[nodiscard]] std::string chat_hash(ByteView key, std::string_view chat_id);

/// metadata: {"type","time","idMessage","chat","group","kind","status","state"}, those that there
/// are; no number, no name, no text. full: the notification as it is.
[[nodiscard]] SharedEvent share_event(const json::Value& notification, Share share, ByteView key);

}  // namespace posthorn::fleet
