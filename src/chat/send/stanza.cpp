#include "chat/send/stanza.h"

#include <algorithm>

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

void add_tail(std::vector<Node>& children, bool pkmsg, ByteView device_identity,
              const StanzaAttrs& attrs, const Bytes& tctoken) {
  if (pkmsg) children.push_back(Node("device-identity", {}, to_bytes(device_identity)));
  if (!attrs.meta.empty()) children.push_back(Node("meta", attrs.meta));
  if (!tctoken.empty()) children.push_back(Node("tctoken", {}, tctoken));
}

}  // namespace

Node build_enc(const signal::Encrypted& encrypted, const StanzaAttrs& attrs) {
  Node enc("enc", {{"v", "2"}, {"type", to_string(encrypted.type)}}, encrypted.bytes);
  if (!attrs.mediatype.empty()) enc.set_attr("mediatype", attrs.mediatype);
  if (attrs.hide_failure) enc.set_attr("decrypt-fail", std::string("hide"));
  return enc;
}

Node build_head(const std::string& id, const Jid& to, const StanzaAttrs& attrs) {
  Node stanza("message", {{"to", to}, {"id", id}, {"type", attrs.type}});
  if (!attrs.edit.empty()) stanza.set_attr("edit", attrs.edit);
  return stanza;
}

Node build_copies(std::span<const DeviceCopy> copies, const StanzaAttrs& attrs) {
  std::vector<Node> participants;
  participants.reserve(copies.size());
  for (const DeviceCopy& copy : copies) {
    participants.push_back(Node("to", {{"jid", copy.device}}, {build_enc(copy.encrypted, attrs)}));
  }
  return Node("participants", {}, std::move(participants));
}

bool any_pkmsg(std::span<const DeviceCopy> copies) {
  return std::any_of(copies.begin(), copies.end(), [](const DeviceCopy& copy) {
    return copy.encrypted.type == signal::MessageType::pkmsg;
  });
}

Node build_message(const OutgoingMessage& message) {
  Node stanza = build_head(message.id, message.to, message.attrs);
  if (message.peer_recipient_pn) {
    stanza.set_attr("peer_recipient_pn", message.peer_recipient_pn->bare());
  }
  std::vector<Node> children;
  children.push_back(build_copies(message.copies, message.attrs));
  add_tail(children, any_pkmsg(message.copies), message.device_identity, message.attrs,
           message.tctoken);
  stanza.content = std::move(children);
  return stanza;
}

Node build_resend(const ResentMessage& message) {
  Node stanza = build_head(message.id, message.to, message.attrs);
  if (!message.t.empty()) stanza.set_attr("t", message.t);
  if (message.participant) stanza.set_attr("participant", *message.participant);
  if (message.recipient) stanza.set_attr("recipient", *message.recipient);
  if (!message.addressing_mode.empty()) {
    stanza.set_attr("addressing_mode", message.addressing_mode);
  }
  // Without it the server would offer the copy to the user's other devices as well.
  if (message.to.is_person()) stanza.set_attr("device_fanout", std::string("false"));
  Node enc = build_enc(message.encrypted, message.attrs);
  enc.set_attr("count", std::to_string(message.count));
  std::vector<Node> children;
  children.push_back(std::move(enc));
  const bool pkmsg = message.encrypted.type == signal::MessageType::pkmsg;
  add_tail(children, pkmsg, message.device_identity, message.attrs, message.tctoken);
  stanza.content = std::move(children);
  return stanza;
}

}  // namespace posthorn::chat
