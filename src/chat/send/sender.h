#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "chat/people/block_list.h"
#include "chat/send/flow.h"
#include "posthorn/chat/presence.h"
#include "posthorn/throttle/sender.h"

namespace posthorn::chat {

/// Where the throttle hands its messages over: one at a time.
class MessageSender final : public throttle::Sender {
 public:
  /// What the tools refer to outlives this.
  /// to_group: sends to groups.
  MessageSender(SendTools tools, Presence& presence, const BlockList& blocked, StartSend to_group)
      : tools_(tools), presence_(presence), blocked_(blocked), to_group_(std::move(to_group)) {}
  ~MessageSender() override { cancel(); }

  void send(const Job& job, Once<void(throttle::SendOutcome)> done) override;
  void show_typing(const std::string& chat, Typing what) override;
  /// Ends the send under way.
  void cancel();

 private:
  /// Why nothing may go there; nullopt: it may.
  [[nodiscard]] std::optional<throttle::SendOutcome> refusal(const std::string& chat) const;

  SendTools tools_;
  Presence& presence_;
  const BlockList& blocked_;
  StartSend to_group_;
  std::weak_ptr<OpenSend> flow_;
  bool open_ = false;
};

}  // namespace posthorn::chat
