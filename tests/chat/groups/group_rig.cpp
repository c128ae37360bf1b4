#include "chat/groups/group_rig.h"

#include <gtest/gtest.h>

#include <utility>

#include "chat/people/ids.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat::chat_test {

using wire::Jid;
using wire::Node;

namespace {

/// Device 5 is in no list.
void hide(Node& node) {
  if (!std::holds_alternative<std::vector<Node>>(node.content)) return;
  std::erase_if(node.mutable_children(), [](const Node& child) {
    return child.tag == "device" && child.text_attr("id") == "5";
  });
  for (Node& child : node.mutable_children()) hide(child);
}

}  // namespace

GroupRig::GroupRig() {
  members = {participant(customer_lid, customer_pn, "admin"),
             participant(box_jid.bare(), line.self.pn.bare())};
  line.answer = [this](const Node& iq) -> Result<Node> {
    if (iq.text_attr("xmlns") != "w:g2") {
      Result<Node> reply = answer(iq);
      if (hide_laptop && iq.text_attr("xmlns") == "usync") hide(*reply);
      return reply;
    }
    if (!refuse_query.empty()) return fail(Errc::refused, refuse_query);
    if (iq.child("query") != nullptr) return Node("iq", {{"type", "result"}}, {group_node()});
    return Node("iq", {{"type", "result"}}, {Node("groups", {}, {group_node()})});
  };
}

Node GroupRig::participant(const Jid& lid, const Jid& pn, const char* type) {
  Node node("participant", {{"jid", lid}, {"phone_number", pn}});
  if (*type != 0) node.set_attr("type", std::string(type));
  return node;
}

Node GroupRig::group_node() const {
  Node node("group", {{"id", group.user},
                      {"subject", subject},
                      {"creation", "1780000000"},
                      {"creator", customer_lid},
                      {"p_v_id", "1"},
                      {"addressing_mode", by_lid ? "lid" : "pn"}});
  for (const Node& member : members) {
    Node shown = member;
    if (!by_lid) {
      shown.set_attr("jid", *member.jid_attr("phone_number"));
      shown.remove_attr("phone_number");
      shown.set_attr("lid", *member.jid_attr("jid"));
    }
    if (node.children().empty()) node.content = std::vector<Node>{};
    node.mutable_children().push_back(std::move(shown));
  }
  for (const Node& child : extra) node.mutable_children().push_back(child);
  return node;
}

Node GroupRig::distribution(PeerDevice& device) {
  const auto made = device.protocol.create_distribution({chat, address_of(device.jid)});
  wa::Message message;
  auto& key = *message.mutable_senderkeydistributionmessage();
  key.set_groupid(chat);
  key.set_axolotlsenderkeydistributionmessage(posthorn::to_string(*made));
  return device.encrypt(message, box_jid);
}

Node GroupRig::sealed(PeerDevice& device, const wa::Message& message) {
  (void)device.protocol.create_distribution({chat, address_of(device.jid)});
  const auto made = device.protocol.encrypt_group(
      {chat, address_of(device.jid)},
      signal::pad(as_bytes(message.SerializeAsString()), device.random));
  EXPECT_TRUE(made);
  return Node("enc", {{"v", "2"}, {"type", "skmsg"}}, *made);
}

Node GroupRig::group_stanza(PeerDevice& device, const std::string& id,
                            std::vector<Node> encs) const {
  Jid author = device.jid;
  Jid other = customer_pn;
  if (!by_lid) {
    author = customer_pn.with_device(device.jid.device);
    other = customer_lid;
  }
  Node stanza("message", {{"from", group},
                          {"participant", author},
                          {by_lid ? "participant_pn" : "participant_lid", other},
                          {"addressing_mode", by_lid ? "lid" : "pn"},
                          {"id", id},
                          {"t", "1790000100"},
                          {"type", "text"},
                          {"notify", "Ann"}});
  stanza.content = std::move(encs);
  return stanza;
}

Node GroupRig::group_text(PeerDevice& device, const std::string& id, const std::string& text,
                          bool with_key) {
  std::vector<Node> encs;
  if (with_key) encs.push_back(distribution(device));
  encs.push_back(sealed(device, text_message(text)));
  return group_stanza(device, id, std::move(encs));
}

Node GroupRig::notice(Node child) const {
  return Node("notification",
              {{"type", "w:gp2"}, {"from", group}, {"id", "n1"}, {"participant", customer_lid}},
              {std::move(child)});
}

void GroupRig::hear(Node stanza) {
  listener().on_message(std::move(stanza));
  turn();
}

void GroupRig::hear_notice(Node child) {
  listener().on_notification(notice(std::move(child)), [] {});
  turn();
}

std::vector<Node> GroupRig::questions(std::string_view xmlns) const {
  std::vector<Node> found;
  for (const Node& iq : line.asked) {
    if (iq.text_attr("xmlns") == xmlns) found.push_back(iq);
  }
  return found;
}

}  // namespace posthorn::chat::chat_test
