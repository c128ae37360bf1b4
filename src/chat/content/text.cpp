#include "chat/content/context.h"
#include "chat/content/kinds.h"

// conversation and extendedTextMessage: a text, plain or with what belongs to it.
namespace posthorn::chat {
bool read(const wa::Message& message, content::Text& kind, Beside& beside) {
  if (message.has_conversation()) {
    kind.body = message.conversation();
    return true;
  }
  if (!message.has_extendedtextmessage()) return false;
  const auto& extended = message.extendedtextmessage();
  kind.body = extended.text();
  kind.preview = content::Preview{extended.title(), extended.description(), extended.matchedtext()};
  if (extended.has_contextinfo()) read_context(extended.contextinfo(), beside);
  return true;
}

/// Plain when nothing else is said, extended when it quotes.
Result<wa::Message> write(const content::Text& kind, const Outgoing& outgoing) {
  wa::Message message;
  if (outgoing.quoted) {
    auto& extended = *message.mutable_extendedtextmessage();
    extended.set_text(kind.body);
    set_quote(*extended.mutable_contextinfo(), *outgoing.quoted);
  } else {
    message.set_conversation(kind.body);
  }
  message.mutable_messagecontextinfo()->set_messagesecret(std::string(as_text(outgoing.secret32)));
  return message;
}

}  // namespace posthorn::chat
