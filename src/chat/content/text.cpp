#include <algorithm>

#include "chat/content/kinds.h"
#include "chat/content/parse.h"

// conversation and extendedTextMessage: a text, plain or with what belongs to it.
namespace posthorn::chat {
namespace {

/// Green-API's word for what is quoted.
std::string quoted_type(const wa::Message& quoted) {
  const std::string field = content_field(quoted);
  if (field.empty() || field == "conversation") return "textMessage";
  return field;
}

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

void read_context(const wa::ContextInfo& context, Beside& beside) {
  beside.forwarded = context.isforwarded();
  beside.forwarding_score = static_cast<int>(std::min(context.forwardingscore(), 127U));
  if (context.stanzaid().empty()) return;
  Quote& quote = beside.quote.emplace();
  quote.id = context.stanzaid();
  quote.participant = context.participant();
  const auto opened = open_wrappers(context.quotedmessage());
  if (!opened) return;
  quote.text = text_of(*opened->message);
  quote.type_message = quoted_type(*opened->message);
}

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
