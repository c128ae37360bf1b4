#include "chat/content/context.h"

#include <algorithm>
#include <utility>

#include "chat/content/parse.h"
#include "posthorn/base/utf8.h"

namespace posthorn::chat {
namespace {

constexpr std::size_t kMaxQuoteText = 1024;
constexpr int kMostMentions = 1024;
constexpr unsigned kHighestScore = 127;

struct Place {
  bool (*has)(const wa::Message&);
  const wa::ContextInfo* (*get)(const wa::Message&);  ///< nullptr: not there
  wa::ContextInfo* (*make)(wa::Message&);
  void (*drop)(wa::Message&);
};

#define POSTHORN_PLACE(field)                                                      \
  Place {                                                                          \
    [](const wa::Message& m) { return m.has_##field(); },                          \
        [](const wa::Message& m) -> const wa::ContextInfo* {                       \
          return m.field().has_contextinfo() ? &m.field().contextinfo() : nullptr; \
        },                                                                         \
        [](wa::Message& m) { return m.mutable_##field()->mutable_contextinfo(); }, \
        [](wa::Message& m) { m.mutable_##field()->clear_contextinfo(); }           \
  }

// Source: chapter 07 section 2, and the schema.
constexpr Place kPlaces[] = {
    POSTHORN_PLACE(extendedtextmessage),
    POSTHORN_PLACE(imagemessage),
    POSTHORN_PLACE(videomessage),
    POSTHORN_PLACE(ptvmessage),
    POSTHORN_PLACE(audiomessage),
    POSTHORN_PLACE(documentmessage),
    POSTHORN_PLACE(stickermessage),
    POSTHORN_PLACE(locationmessage),
    POSTHORN_PLACE(livelocationmessage),
    POSTHORN_PLACE(contactmessage),
    POSTHORN_PLACE(contactsarraymessage),
    POSTHORN_PLACE(pollcreationmessage),
    POSTHORN_PLACE(pollcreationmessagev2),
    POSTHORN_PLACE(pollcreationmessagev3),
    POSTHORN_PLACE(pollcreationmessagev5),
    POSTHORN_PLACE(pollcreationmessagev6),
    POSTHORN_PLACE(groupinvitemessage),
    POSTHORN_PLACE(interactivemessage),
    POSTHORN_PLACE(interactiveresponsemessage),
    POSTHORN_PLACE(buttonsmessage),
    POSTHORN_PLACE(buttonsresponsemessage),
    POSTHORN_PLACE(templatemessage),
    POSTHORN_PLACE(templatebuttonreplymessage),
    POSTHORN_PLACE(listmessage),
    POSTHORN_PLACE(listresponsemessage),
    POSTHORN_PLACE(productmessage),
    POSTHORN_PLACE(ordermessage),
    POSTHORN_PLACE(eventmessage),
    POSTHORN_PLACE(albummessage),
};
#undef POSTHORN_PLACE

const Place* place_of(const wa::Message& message) {
  const auto* found = std::find_if(std::begin(kPlaces), std::end(kPlaces),
                                   [&](const Place& place) { return place.has(message); });
  return found == std::end(kPlaces) ? nullptr : found;
}

/// A quote shows the beginning of a long text only.
void cut_text(wa::Message& message) {
  if (message.has_conversation()) {
    message.set_conversation(cut_utf8(message.conversation(), kMaxQuoteText));
  } else if (message.has_extendedtextmessage()) {
    auto& extended = *message.mutable_extendedtextmessage();
    extended.set_text(cut_utf8(extended.text(), kMaxQuoteText));
  }
}

/// Green-API's word for what is quoted.
std::string quoted_type(const wa::Message& quoted) {
  const std::string field = content_field(quoted);
  if (field.empty() || field == "conversation") return "textMessage";
  if (field.starts_with("pollCreationMessage")) return "pollMessage";
  if (field == "liveLocationMessage") return "locationMessage";
  if (field == "ptvMessage") return "videoMessage";
  return field;
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
  cut_text(*context.mutable_quotedmessage());
  // Receivers show no quote without content; an empty text is what the official apps send then.
  if (content_field(context.quotedmessage()).empty()) {
    context.mutable_quotedmessage()->set_conversation("");
  }
}

}  // namespace

void drop_context(wa::Message& message) {
  message.clear_messagecontextinfo();
  if (message.has_conversation()) return;
  const Place* place = place_of(message);
  if (place != nullptr) place->drop(message);
}

wa::ContextInfo* mutable_context(wa::Message& message) {
  if (message.has_conversation()) {
    const std::string text = message.conversation();
    message.clear_conversation();
    message.mutable_extendedtextmessage()->set_text(text);
  }
  const Place* place = place_of(message);
  return place == nullptr ? nullptr : place->make(message);
}

const wa::ContextInfo* context_in(const wa::Message& message) {
  const Place* place = place_of(message);
  return place == nullptr ? nullptr : place->get(message);
}

void read_context(const wa::ContextInfo& context, Beside& beside) {
  beside.forwarded = context.isforwarded();
  beside.forwarding_score = static_cast<int>(std::min(context.forwardingscore(), kHighestScore));
  for (int i = 0; i < std::min(context.mentionedjid_size(), kMostMentions); ++i) {
    beside.mentions.push_back(context.mentionedjid(i));
  }
  if (context.stanzaid().empty()) return;
  Quote& quote = beside.quote.emplace();
  quote.id = context.stanzaid();
  quote.participant = context.participant();
  const auto opened = open_wrappers(context.quotedmessage());
  if (opened) describe_quoted(*opened->message, quote);
}

void describe_quoted(const wa::Message& message, Quote& quote) {
  quote.text = text_of(message);
  quote.type_message = quoted_type(message);
  content::File file;
  Beside ignored;
  if (read(message, file, ignored)) quote.file = std::move(file);
  if (quote.file || quote.type_message == "textMessage" ||
      quote.type_message == "extendedTextMessage") {
    return;
  }
  Parsed parsed = parse_content(message);
  if (!parsed.content || std::holds_alternative<content::Other>(parsed.content->what)) return;
  parsed.content->quote.reset();  // what that one answered is nobody's question here
  quote.original.push_back(std::move(*parsed.content));
}

void write_context(const Content& content, const Outgoing& outgoing, wa::Message& message) {
  const bool says = outgoing.quoted || content.forwarded || !outgoing.mentions.empty() ||
                    outgoing.timer.seconds != 0;
  if (!says) return;
  wa::ContextInfo* context = mutable_context(message);
  if (context == nullptr) return;
  if (outgoing.quoted) set_quote(*context, *outgoing.quoted);
  for (const std::string& jid : outgoing.mentions) context->add_mentionedjid(jid);
  if (content.forwarded) {
    context->set_isforwarded(true);
    context->set_forwardingscore(static_cast<std::uint32_t>(std::max(content.forwarding_score, 1)));
  }
  if (outgoing.timer.seconds != 0) {
    context->set_expiration(outgoing.timer.seconds);
    if (outgoing.timer.set_at != 0) context->set_ephemeralsettingtimestamp(outgoing.timer.set_at);
  }
}

}  // namespace posthorn::chat
