#pragma once

#include <optional>

#include "posthorn/cloud/webhook.h"

namespace posthorn::cloud {

/// The entry of messages (or message_echoes) for incomingMessageReceived and
/// outgoingMessageReceived, without from, id and timestamp: {"type": T, T: {…}, "context": {…}}.
/// nullopt: it says nothing that the official API has a form for.
[[nodiscard]] std::optional<json::Value> show_message(const json::Value& notification,
                                                      const WebhookContext& context);

}  // namespace posthorn::cloud
