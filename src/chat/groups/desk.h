#pragma once

#include "chat/groups/cache.h"
#include "chat/lane/context.h"
#include "chat/send/group_desk.h"
#include "posthorn/signal/protocol.h"

namespace posthorn::chat {

/// Answers what sending again asks of groups (chapter 06 section 8.2).
class Desk final : public GroupDesk {
 public:
  /// All outlive this. protocol: on staged keys.
  Desk(const MessageContext& context, GroupCache& groups, signal::Protocol& protocol)
      : context_(context), groups_(groups), protocol_(protocol) {}

  void may_read(const wire::Jid& group, const wire::Jid& user,
                Once<void(Result<bool>)> done) override;
  Result<void> add_key(const wire::Jid& group, const wire::Jid& device,
                       wa::Message& message) override;

 private:
  [[nodiscard]] Result<bool> holds_our_key(const wire::Jid& chat, const wire::Jid& user);

  const MessageContext& context_;
  GroupCache& groups_;
  signal::Protocol& protocol_;
};

}  // namespace posthorn::chat
