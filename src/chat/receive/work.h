#pragma once

#include "chat/receive/message.h"

namespace posthorn::chat {

/// One message on its way through the Receiver.
struct Receiver::Work {
  explicit Work(const wire::Node& s) : stanza(s) {}

  /// Something in it was for somebody: a text, a vote, news of our own devices.
  [[nodiscard]] bool says_something() const {
    return out.event || out.received || out.vote || out.from_own_device;
  }

  const wire::Node& stanza;
  Envelope envelope;
  Reception out;
  wa::MessageContextInfo context_info;  ///< of the message, or of the copy around it
  bool any_read = false;                ///< at least one part was decrypted
  bool used_number = false;             ///< at least one part has a number that was used before
  bool failed_content = false;          ///< at least one part was not, and is asked for again
  bool ignored = false;                 ///< a part that we do not read (stories)
  int nack = 0;
};

}  // namespace posthorn::chat
