#pragma once

#include <memory>

#include "chat/send/flow.h"
#include "posthorn/chat/presence.h"
#include "posthorn/throttle/sender.h"

namespace posthorn::chat {

/// Where the throttle hands its messages over: one at a time.
class MessageSender final : public throttle::Sender {
 public:
  /// What the tools refer to outlives this.
  MessageSender(SendTools tools, Presence& presence) : tools_(tools), presence_(presence) {}
  ~MessageSender() override { cancel(); }

  void send(const Job& job, Once<void(throttle::SendOutcome)> done) override;
  void show_typing(const std::string& chat, bool on) override;
  /// Ends the send under way.
  void cancel();

 private:
  SendTools tools_;
  Presence& presence_;
  std::weak_ptr<SendFlow> flow_;
  bool open_ = false;
};

}  // namespace posthorn::chat
