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
  /// that are remembered. done: how many were marked. Errors: malformed (chat), not_found,
  /// disconnected, io.
  virtual void mark(const std::string& chat, const std::string& message_id,
                    Once<void(Result<std::size_t>)> done) = 0;
};

}  // namespace posthorn::chat
