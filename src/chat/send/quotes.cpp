#include "chat/send/quotes.h"

#include <utility>

#include "chat/content/context.h"
#include "chat/content/parse.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"

namespace posthorn::chat {

using wire::Jid;

Jid own_name_beside(const Jid& peer, const session::Identity& self) {
  return (peer.is_lid() && !self.lid.user.empty() ? self.lid : self.pn).bare();
}

Result<QuotedMessage> find_quoted(const MessageContext& context, const Jid& peer,
                                  const std::string& id) {
  QuotedMessage quoted;
  quoted.id = id;
  const bool group = peer.is_group();
  TRY(const auto row, group ? context.groups.find(to_string(peer))
                            : Result<std::optional<store::GroupStore::Group>>(std::nullopt));
  TRY(const auto received, context.messages.received(to_string(peer), id));
  if (received) {
    quoted.author = received->sender;
    if (group && row && !row->by_lid) {
      TRY(const Jid sender, wire::parse_jid(received->sender));
      TRY(const auto number, context.names.other(sender));
      if (sender.is_lid() && number) quoted.author = to_string(*number);
    }
    quoted.message = to_string(received->message);
    return quoted;
  }
  TRY(const auto outline, context.messages.sent_outline(id));
  const session::Identity& self = context.line.identity();
  const Jid own =
      row && row->by_lid && !self.lid.empty() ? self.lid.bare() : own_name_beside(peer, self);
  // Of a group's message that is not remembered only WhatsApp knows who wrote it.
  if (outline || !group) quoted.author = to_string(outline ? own : peer);
  TRY(const auto sent, context.messages.sent(id));
  if (sent) quoted.message = to_string(sent->message);
  return quoted;
}

std::string target_id_of(const Content& content) {
  if (const auto* edit = std::get_if<content::Edit>(&content.what)) return edit->target_id;
  if (const auto* deletion = std::get_if<content::Deletion>(&content.what)) {
    return deletion->target_id;
  }
  const bool reacts = std::holds_alternative<content::Reaction>(content.what);
  return reacts && content.quote ? content.quote->id : "";
}

Result<TargetMessage> find_target(const MessageContext& context, const Jid& peer, const Jid& to,
                                  const std::string& id) {
  TargetMessage target;
  target.chat = to_string(to);
  TRY(const auto received, context.messages.received(to_string(peer), id));
  if (!received) {
    TRY(const auto sent, context.messages.sent(id));
    if (sent) target.message = to_string(sent->message);
    return target;
  }
  target.message = to_string(received->message);
  const auto author = wire::parse_jid(received->sender);
  target.from_me = author && is_own_user(context.line.identity(), *author);
  if (!target.from_me && !peer.is_person()) target.author = received->sender;
  return target;
}

Result<Quote> QuoteFinder::find(const std::string& chat, const std::string& message_id) {
  TRY(const Jid named, parse_chat_id(chat));
  TRY(const Jid peer, context_.names.preferred(named));
  TRY(const QuotedMessage quoted, find_quoted(context_, peer, message_id));
  Quote quote;
  quote.id = message_id;
  if (!quoted.author.empty()) {
    TRY(const Jid author, wire::parse_jid(quoted.author));
    TRY(quote.participant, context_.names.chat_id(author));
  }
  wa::Message message;
  if (message.ParseFromString(quoted.message)) {
    const auto opened = open_wrappers(message);
    if (opened) describe_quoted(*opened->message, quote);
  }
  return quote;
}

}  // namespace posthorn::chat
