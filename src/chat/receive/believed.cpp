#include "chat/receive/believed.h"

#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using Sent = store::MessageStore::Sent;

/// Whether a message that was addressed so went to `chat`, under either of its names.
Result<bool> went_to(const MessageContext& context, const Sent& sent, const Jid& chat) {
  const auto addressed = wire::parse_jid(sent.chat);
  if (!addressed) return false;
  TRY(const Jid named, context.names.preferred(addressed->bare()));
  return named == chat;
}

}  // namespace

Result<std::vector<Receipt>> believed_statuses(const MessageContext& context,
                                               const IncomingReceipt& receipt, Receipt::Kind kind,
                                               Sent::Status status) {
  TRY(const Jid chat, context.names.preferred(from_hosted(receipt.from).bare()));
  TRY(const std::string chat_id, context.names.chat_id(chat));
  std::vector<Receipt> told;
  std::vector<std::string> unknown;
  for (const std::string& id : receipt.ids) {
    TRY(const auto sent, context.messages.sent_outline(id));
    if (!sent) {
      unknown.push_back(id);
      continue;
    }
    // Every device of the customer sends its own; one event per step is what people expect.
    if (sent->status >= status) continue;
    TRY(const bool here, went_to(context, *sent, chat));
    if (!here) continue;
    Receipt& event = told.emplace_back();
    event.kind = kind;
    event.message_id = id;
    event.chat = sent->posted.empty() ? chat_id : sent->posted;
    event.by_api = true;
    event.before_ack = sent->status == Sent::Status::made;
    event.timestamp = receipt.when;
  }
  if (unknown.empty()) return told;
  const session::Identity& self = context.line.identity();
  for (const Jid& own : {self.pn.bare(), self.lid.bare()}) {
    if (own.user.empty()) continue;
    TRY(auto typed, context.messages.written_by(to_string(chat), to_string(own), unknown));
    for (std::string& id : typed) {
      Receipt& event = told.emplace_back();
      event.kind = kind;
      event.message_id = std::move(id);
      event.chat = chat_id;
      event.timestamp = receipt.when;
    }
  }
  return told;
}

}  // namespace posthorn::chat
