#pragma once

#include <set>
#include <string>

#include "chat/lane/context.h"
#include "posthorn/chat/presence.h"

namespace posthorn::chat {

/// Shows the account as available while a chat is typed to or the setting says so. WhatsApp shows
/// chat states only of somebody who is available; otherwise the shop's phone is to get its
/// notifications, so we are for no longer.
class PresenceShown final : public Presence {
 public:
  explicit PresenceShown(const MessageContext& context) : context_(context) {}

  void show_typing(const std::string& chat, Typing what) override;
  void keep_online(bool on) override;

  void on_online();
  /// The server forgets it with the connection.
  void on_offline();

 private:
  [[nodiscard]] bool available() const { return keep_online_ || !typed_to_.empty(); }

  /// Receipts follow: who is there sends them as the phone does.
  void announce(bool there);

  const MessageContext& context_;
  std::set<std::string> typed_to_;
  bool keep_online_ = false;
};

}  // namespace posthorn::chat
