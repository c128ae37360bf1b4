#pragma once

#include <string>

#include "posthorn/base/typing.h"

namespace posthorn::chat {

using posthorn::Typing;

/// What others see of the account beside its messages. For the eye only: nothing is answered, and
/// while the box is offline, or has no push name yet, nothing is shown.
class Presence {
 public:
  virtual ~Presence() = default;

  /// "typing…" or "recording audio…" until it is switched off. chat: chatId.
  virtual void show_typing(const std::string& chat, Typing what) = 0;
  /// Online for as long as the box is connected, not only while it types. The phone shows no
  /// notifications meanwhile, as with WhatsApp Web in front.
  virtual void keep_online(bool on) = 0;
};

}  // namespace posthorn::chat
