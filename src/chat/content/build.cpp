#include "chat/content/build.h"

#include "chat/content/parse.h"

namespace posthorn::chat {
namespace {

/// A quote carries the quoted content without its own context, else quotes would nest for ever.
void drop_context(wa::Message& message) {
  message.clear_messagecontextinfo();
  if (message.has_extendedtextmessage()) message.mutable_extendedtextmessage()->clear_contextinfo();
}

void set_quote(wa::ContextInfo& context, const QuotedMessage& quoted) {
  context.set_stanzaid(quoted.id);
  if (!quoted.author.empty()) context.set_participant(quoted.author);
  wa::Message original;
  if (!quoted.message.empty() && original.ParseFromString(quoted.message)) {
    const auto opened = open_wrappers(original);
    if (opened) *context.mutable_quotedmessage() = *opened->message;
  }
  drop_context(*context.mutable_quotedmessage());
  // Receivers show no quote without content; an empty text is what the official apps send then.
  if (content_field(context.quotedmessage()).empty()) {
    context.mutable_quotedmessage()->set_conversation("");
  }
}

}  // namespace

wa::Message build_text(const std::string& text, ByteView secret32,
                       const std::optional<QuotedMessage>& quoted) {
  wa::Message message;
  if (quoted) {
    auto& extended = *message.mutable_extendedtextmessage();
    extended.set_text(text);
    set_quote(*extended.mutable_contextinfo(), *quoted);
  } else {
    message.set_conversation(text);
  }
  message.mutable_messagecontextinfo()->set_messagesecret(std::string(as_text(secret32)));
  return message;
}

wa::Message build_device_sent(const wa::Message& message, const wire::Jid& chat) {
  wa::Message copy;
  auto& sent = *copy.mutable_devicesentmessage();
  sent.set_destinationjid(to_string(chat.bare()));
  *sent.mutable_message() = message;
  if (message.has_messagecontextinfo()) {
    *copy.mutable_messagecontextinfo() = message.messagecontextinfo();
  }
  return copy;
}

}  // namespace posthorn::chat
