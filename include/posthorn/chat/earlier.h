#pragma once

#include <optional>
#include <string>

#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::chat {

/// A message of the past, as far as it is remembered: of what was sent the content for a day and
/// that it was sent for a month, of what came in the newest 2,000.
struct EarlierMessage {
  std::optional<Content> content;  ///< with `original`, to be passed on; nullopt: not kept any more
  bool from_me = false;
  std::optional<Wall> sent_at;  ///< of what the till sent; else not known
  /// It went by the official number or came to it: there only answers and reactions can name it.
  bool official = false;
};

/// Looks up what is to be changed, taken back, passed on or reacted to.
class Earlier {
 public:
  virtual ~Earlier() = default;

  /// chat: chatId. nullopt: not remembered, or of another chat. Errors: malformed (chat), io.
  [[nodiscard]] virtual Result<std::optional<EarlierMessage>> find(
      const std::string& chat, const std::string& message_id) = 0;
};

}  // namespace posthorn::chat
