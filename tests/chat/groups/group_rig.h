#pragma once

#include <functional>
#include <string>
#include <vector>

#include "chat/rig.h"

namespace posthorn::chat::chat_test {

/// The rig in a group with the customer: the box answers questions about it and hears from it.
class GroupRig : public Rig {
 public:
  GroupRig();

  /// A <message> of the group from that device. skmsg: with its sender key; with_key: the key goes
  /// along, as in a first message.
  wire::Node group_text(PeerDevice& device, const std::string& id, const std::string& text,
                        bool with_key);
  wire::Node group_stanza(PeerDevice& device, const std::string& id,
                          std::vector<wire::Node> encs) const;
  wire::Node distribution(PeerDevice& device);
  wire::Node sealed(PeerDevice& device, const wa::Message& message);
  /// <notification type="w:gp2"> from the group.
  wire::Node notice(wire::Node child) const;
  static wire::Node participant(const wire::Jid& lid, const wire::Jid& pn, const char* type = "");
  wire::Node group_node() const;
  void hear(wire::Node stanza);
  void hear_notice(wire::Node child);
  std::vector<wire::Node> questions(std::string_view xmlns) const;

  wire::Jid group{"120363000000000001", "g.us", 0};
  std::string chat = "120363000000000001@g.us";
  bool by_lid = true;
  std::string subject = "Bakers";
  std::vector<wire::Node> members;  ///< <participant> nodes
  std::vector<wire::Node> extra;    ///< further children of <group>
  bool hide_laptop = false;         ///< from device lists
  std::string refuse_query;         ///< "403 forbidden"; empty: answered
};

}  // namespace posthorn::chat::chat_test
