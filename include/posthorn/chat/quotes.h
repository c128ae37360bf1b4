#pragma once

#include <string>

#include "posthorn/base/content.h"
#include "posthorn/base/result.h"

namespace posthorn::chat {

/// Looks up what a message answers.
class Quotes {
 public:
  virtual ~Quotes() = default;

  /// Author (chatId) and text of a message in a chat, as far as they are remembered: of one that is
  /// not, the text is empty and the author is the other side. chat: chatId. Errors: malformed
  /// (chat), io.
  [[nodiscard]] virtual Result<Quote> find(const std::string& chat,
                                           const std::string& message_id) = 0;
};

}  // namespace posthorn::chat
