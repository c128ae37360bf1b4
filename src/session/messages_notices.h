#pragma once

#include "posthorn/base/result.h"
#include "posthorn/wire/node.h"
#include "session/devices.h"
#include "session/messages_context.h"
#include "session/receipts_read.h"
#include "session/receive_lane.h"
#include "session/receive_staged_keys.h"
#include "session/send_tokens.h"

namespace posthorn::session {

/// Notifications that make what we know stale: devices, identities, numbers, tokens, privacy.
/// Source: chapter 09 sections 8, 9.
class Notices {
 public:
  Notices(const MessageContext& context, StagedKeys& keys, Devices& devices, Tokens& tokens,
          ReadMarker& reader)
      : context_(context), keys_(keys), devices_(devices), tokens_(tokens), reader_(reader) {}

  /// Whether the stanza is one of these; anything else needs no work here.
  [[nodiscard]] static bool concerns(const wire::Node& stanza);
  [[nodiscard]] Result<LaneWork> take(const wire::Node& stanza, bool batch_open);

 private:
  Result<LaneWork> take_devices(const wire::Node& stanza, const wire::Jid& from, bool batch_open);
  Result<LaneWork> take_identity(const wire::Node& stanza, const wire::Jid& from, bool batch_open);
  LaneWork take_account(const wire::Node& stanza);
  LaneWork take_contacts(const wire::Node& stanza);
  Result<bool> is_news(const wire::Jid& from, const std::optional<wire::Jid>& lid);
  Result<void> forget_device(const wire::Jid& device);

  const MessageContext& context_;
  StagedKeys& keys_;
  Devices& devices_;
  Tokens& tokens_;
  ReadMarker& reader_;
};

}  // namespace posthorn::session
