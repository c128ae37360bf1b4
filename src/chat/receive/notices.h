#pragma once

#include <functional>
#include <utility>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/lane/staged_keys.h"
#include "chat/people/devices.h"
#include "chat/people/tokens.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// Notifications that make what we know stale: devices, identities, numbers, tokens, privacy,
/// who is blocked.
/// Source: chapter 09 sections 8, 9.
class Notices {
 public:
  /// What has changed of the account itself.
  struct OnChange {
    std::function<void()> privacy, blocked;
    std::function<void(const wire::Node&)> state;  ///< its app state, as the stanza says
  };
  Notices(const MessageContext& context, StagedKeys& keys, Devices& devices, Tokens& tokens,
          OnChange on_change)
      : context_(context),
        keys_(keys),
        devices_(devices),
        tokens_(tokens),
        on_change_(std::move(on_change)) {}

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
  OnChange on_change_;
};

}  // namespace posthorn::chat
