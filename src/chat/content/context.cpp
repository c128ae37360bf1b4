#include "chat/content/context.h"

#include <algorithm>

#include "chat/content/parse.h"

// contextInfo, which most kinds carry: the message that is answered, and whether this one was
// forwarded.
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
  if (message.has_imagemessage()) message.mutable_imagemessage()->clear_contextinfo();
  if (message.has_videomessage()) message.mutable_videomessage()->clear_contextinfo();
  if (message.has_ptvmessage()) message.mutable_ptvmessage()->clear_contextinfo();
  if (message.has_audiomessage()) message.mutable_audiomessage()->clear_contextinfo();
  if (message.has_documentmessage()) message.mutable_documentmessage()->clear_contextinfo();
  if (message.has_stickermessage()) message.mutable_stickermessage()->clear_contextinfo();
}

}  // namespace

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

void read_context(const wa::ContextInfo& context, Beside& beside) {
  beside.forwarded = context.isforwarded();
  beside.forwarding_score = static_cast<int>(std::min(context.forwardingscore(), 127U));
  if (context.stanzaid().empty()) return;
  Quote& quote = beside.quote.emplace();
  quote.id = context.stanzaid();
  quote.participant = context.participant();
  const auto opened = open_wrappers(context.quotedmessage());
  if (!opened) return;
  describe_quoted(*opened->message, quote);
}

void describe_quoted(const wa::Message& message, Quote& quote) {
  quote.text = text_of(message);
  quote.type_message = quoted_type(message);
  content::File file;
  Beside ignored;
  if (read(message, file, ignored)) quote.file = std::move(file);
}

wa::Message outline_of_file(const wa::Message& message) {
  wa::Message out;
  if (message.has_imagemessage()) {
    *out.mutable_imagemessage() = message.imagemessage();
    out.mutable_imagemessage()->clear_jpegthumbnail();
  } else if (message.has_videomessage()) {
    *out.mutable_videomessage() = message.videomessage();
    out.mutable_videomessage()->clear_jpegthumbnail();
  } else if (message.has_ptvmessage()) {
    *out.mutable_ptvmessage() = message.ptvmessage();
    out.mutable_ptvmessage()->clear_jpegthumbnail();
  } else if (message.has_audiomessage()) {
    *out.mutable_audiomessage() = message.audiomessage();
  } else if (message.has_documentmessage()) {
    *out.mutable_documentmessage() = message.documentmessage();
    out.mutable_documentmessage()->clear_jpegthumbnail();
  } else if (message.has_stickermessage()) {
    *out.mutable_stickermessage() = message.stickermessage();
    out.mutable_stickermessage()->clear_pngthumbnail();
  }
  drop_context(out);
  return out;
}

}  // namespace posthorn::chat
