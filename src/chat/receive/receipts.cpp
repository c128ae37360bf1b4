#include "chat/receive/receipts.h"

#include <algorithm>

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr std::size_t kMaxIds = 2048;
constexpr std::size_t kMaxIdBytes = 128;

void copy_attr(const Node& from, Node& to, std::string_view key) {
  const auto at = std::find_if(from.attrs.begin(), from.attrs.end(),
                               [&](const wire::Attr& attr) { return attr.key == key; });
  if (at != from.attrs.end()) to.set_attr(key, at->value);
}

IncomingReceipt::Kind receipt_kind(std::string_view type) {
  using Kind = IncomingReceipt::Kind;
  if (type.empty()) return Kind::delivered;
  if (type == "read") return Kind::read;
  if (type == "played") return Kind::played;
  if (type == "read-self" || type == "played-self") return Kind::read_self;
  if (type == "retry") return Kind::retry;
  return Kind::other;
}

void add_id(IncomingReceipt& receipt, std::string id) {
  if (id.empty() || id.size() > kMaxIdBytes || receipt.ids.size() >= kMaxIds) return;
  receipt.ids.push_back(std::move(id));
}

/// Once each; their order says nothing.
void drop_repeats(std::vector<std::string>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

/// A device that only understands half of the message downgrades "delivered" to "sent".
bool says_incapable(const Node& stanza) {
  const Node* error = stanza.child("error");
  return error != nullptr && error->text_attr("type") == "feature-incapable";
}

}  // namespace

Node build_ack(const Node& stanza, const session::Identity& self, int error) {
  Node ack("ack", {{"class", stanza.tag}});
  copy_attr(stanza, ack, "id");
  if (const auto from = stanza.jid_attr("from")) ack.set_attr("to", *from);
  // On a receipt a participant that repeats the sender is left out (chapter 04 section 7.1).
  const bool repeats = stanza.tag == "receipt" && stanza.attr("participant") == stanza.attr("from");
  if (!repeats) copy_attr(stanza, ack, "participant");
  copy_attr(stanza, ack, "recipient");
  copy_attr(stanza, ack, "type");
  if (stanza.tag == "message" && !self.pn.empty()) ack.set_attr("from", self.pn);
  if (error != 0) ack.set_attr("error", std::to_string(error));
  return ack;
}

Node build_delivery_receipt(const Envelope& envelope, const session::Identity& self,
                            Available available) {
  Node receipt("receipt", {{"id", envelope.id}});
  if (envelope.category == "peer") {
    receipt.set_attr("to", self.pn.bare());
    receipt.set_attr("type", std::string("peer_msg"));
    return receipt;
  }
  receipt.set_attr("to", envelope.from);
  if (envelope.participant) receipt.set_attr("participant", *envelope.participant);
  if (envelope.from_me) {
    if (envelope.chat.is_person())
      receipt.set_attr("recipient", envelope.recipient.value_or(envelope.chat).bare());
    receipt.set_attr("type", std::string("sender"));
  } else if (available == Available::no) {
    // The phone sends the receipt that shows two ticks.
    receipt.set_attr("type", std::string("inactive"));
  }
  return receipt;
}

Result<IncomingReceipt> parse_receipt(const Node& stanza, Wall now) {
  IncomingReceipt receipt;
  const auto from = stanza.jid_attr("from");
  if (!from || stanza.text_attr("id").empty()) {
    return fail(Errc::malformed, "receipt without id or from");
  }
  receipt.from = *from;
  receipt.participant = stanza.jid_attr("participant");
  receipt.recipient = stanza.jid_attr("recipient");
  receipt.kind = receipt_kind(stanza.text_attr("type"));
  if (receipt.kind == IncomingReceipt::Kind::delivered && says_incapable(stanza)) {
    receipt.kind = IncomingReceipt::Kind::other;
  }
  const auto t = stanza.int_attr("t");
  receipt.when = t && *t > 0 ? Wall::from_unix(*t) : now;
  add_id(receipt, stanza.text_attr("id"));
  for (const Node& child : stanza.children()) {
    if (child.tag == "list") {
      for (const Node& item : child.children()) add_id(receipt, item.text_attr("id"));
    }
    // Aggregated by the server: `key` is the message, the children are who received or read it.
    if (child.tag == "participants") add_id(receipt, child.text_attr("key"));
  }
  drop_repeats(receipt.ids);
  return receipt;
}

}  // namespace posthorn::chat
