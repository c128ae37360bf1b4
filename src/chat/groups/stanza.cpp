#include "chat/groups/stanza.h"

#include <utility>

namespace posthorn::chat {

using wire::Node;

Node build_group_message(const GroupMessage& message) {
  Node stanza = build_head(message.id, message.to, message.attrs);
  if (!message.phash.empty()) stanza.set_attr("phash", message.phash);
  if (!message.addressing_mode.empty()) {
    stanza.set_attr("addressing_mode", message.addressing_mode);
  }
  std::vector<Node> children;
  if (!message.copies.empty() || !message.holders.empty()) {
    Node participants = build_copies(message.copies, message.attrs);
    for (const wire::Jid& user : message.holders) {
      participants.mutable_children().push_back(Node("to", {{"jid", user}}));
    }
    children.push_back(std::move(participants));
  }
  if (message.sealed) {
    Node enc("enc", {{"v", "2"}, {"type", "skmsg"}}, *message.sealed);
    if (!message.attrs.mediatype.empty()) enc.set_attr("mediatype", message.attrs.mediatype);
    if (message.attrs.hide_failure) enc.set_attr("decrypt-fail", std::string("hide"));
    children.push_back(std::move(enc));
  }
  if (any_pkmsg(message.copies)) {
    children.push_back(Node("device-identity", {}, to_bytes(message.device_identity)));
  }
  if (!message.attrs.meta.empty()) children.push_back(Node("meta", message.attrs.meta));
  stanza.content = std::move(children);
  return stanza;
}

}  // namespace posthorn::chat
