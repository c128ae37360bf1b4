#pragma once

#include <cstddef>
#include <string>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"

namespace posthorn::chat {

/// Says that messages were read.
class ReadMarks {
 public:
  virtual ~ReadMarks() = default;

  /// Sends read receipts. chat: chatId; message_id: one, or empty for all unread ones of the chat
  /// that are remembered; one that is being received at this moment is among them. done: how many
  /// were marked: none of what never came, was read before, or is not remembered any more.
  /// Errors: malformed (chat), disconnected, io.
  virtual void mark(const std::string& chat, const std::string& message_id,
                    Once<void(Result<std::size_t>)> done) = 0;
};

}  // namespace posthorn::chat
