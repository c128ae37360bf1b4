#include "chat/content/kinds.h"

// conversation and extendedTextMessage: a text, plain or with what belongs to it.
namespace posthorn::chat {

bool read(const wa::Message& message, content::Text& kind, Beside&) {
  if (message.has_conversation()) {
    kind.body = message.conversation();
    return true;
  }
  if (!message.has_extendedtextmessage()) return false;
  const auto& extended = message.extendedtextmessage();
  kind.body = extended.text();
  kind.preview = content::Preview{extended.title(), extended.description(), extended.matchedtext()};
  return true;
}

/// Plain; it becomes extended when something stands beside it.
Result<wa::Message> write(const content::Text& kind, const Outgoing&) {
  wa::Message message;
  message.set_conversation(kind.body);
  return message;
}

}  // namespace posthorn::chat
