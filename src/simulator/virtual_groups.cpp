// What virtual devices say and hear in groups: sender keys, their distribution, sending again.
#include <algorithm>

#include "posthorn/base/job.h"
#include "posthorn/signal/padding.h"
#include "posthorn/wire/names.h"
#include "simulator/stanzas.h"
#include "simulator/virtual_device.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

void VirtualDevice::take_sender_key(const Node& message, const Device& sender,
                                    const wa::Message& content) {
  if (!content.has_senderkeydistributionmessage()) return;
  const auto& key = content.senderkeydistributionmessage();
  const auto from = message.jid_attr(names::kFrom);
  if (key.groupid() != to_string(from->bare())) {
    world_.violation(sender, "a sender key for " + key.groupid() + " comes in another chat");
  }
  // One that does not parse shows when the message under it cannot be read.
  (void)protocol_.process_distribution({key.groupid(), address_of(sender)},
                                       as_bytes(key.axolotlsenderkeydistributionmessage()));
}

std::optional<wa::Message> VirtualDevice::sender_key_message(const Group& group) {
  const auto made = protocol_.create_distribution({to_string(group.jid), address_of(device_)});
  if (!made) return std::nullopt;
  wa::Message message;
  auto& key = *message.mutable_senderkeydistributionmessage();
  key.set_groupid(to_string(group.jid));
  key.set_axolotlsenderkeydistributionmessage(to_string(*made));
  return message;
}

Result<std::string> VirtualDevice::send(Group& group, const PeerText& text) {
  if (group.find(device_.account) == nullptr) return fail(Errc::refused, "no member of this group");
  const std::string chat = to_string(group.jid);
  const std::string id = text.id.empty()
                             ? make_message_id(world_.random, world_.now(), device_.account.phone)
                             : text.id;
  TRY(wa::Message message, build(device_.account, text));
  if (message.has_protocolmessage())
    message.mutable_protocolmessage()->mutable_key()->set_remotejid(chat);
  std::vector<Device*> readers;
  std::set<std::string> names_of_readers;
  for (const Group::Member& member : group.members) {
    for (const auto& [number, device] : member.account->devices) {
      if (device.get() == &device_) continue;
      readers.push_back(device.get());
      names_of_readers.insert(to_string(device->pn()));
    }
  }
  auto& holders = key_holders_[chat];
  const bool somebody_left = std::ranges::any_of(
      holders, [&](const std::string& holder) { return !names_of_readers.contains(holder); });
  if (somebody_left) {
    (void)protocol_.rotate_sender_key({chat, address_of(device_)});
    holders.clear();
  }
  const auto key = sender_key_message(group);
  if (!key) return fail(Errc::crypto, "no sender key");
  std::vector<Node> copies;
  bool prekey = false;
  for (Device* reader : readers) {
    if (!holders.insert(to_string(reader->pn())).second) continue;
    auto enc = encrypt(*reader, *key);
    if (!enc) continue;
    prekey = prekey || enc->text_attr(names::kType) == names::kPkmsg;
    copies.emplace_back(names::kTo, std::vector<wire::Attr>{{"jid", group.name_of(*reader)}},
                        std::vector{std::move(*enc)});
  }
  const std::string serialized = message.SerializeAsString();
  auto sealed = protocol_.encrypt_group({chat, address_of(device_)},
                                        signal::pad(as_bytes(serialized), world_.random));
  if (!sealed) return fail(sealed.error(), "sealing");
  if (text.tamper || text.tamper_all) sealed->back() ^= std::byte{1};
  sent_.put(id, {message, chat, {}, text.tamper_all});

  Node stanza(names::kMessage, {{"to", group.jid},
                                {"id", id},
                                {"type", "text"},
                                {names::kAddressingMode, group.by_lid ? "lid" : "pn"}});
  std::vector<Node> children;
  if (!copies.empty())
    children.emplace_back(names::kParticipants, std::vector<wire::Attr>{}, std::move(copies));
  children.emplace_back(names::kEnc, std::vector<wire::Attr>{{"v", "2"}, {"type", names::kSkmsg}},
                        *sealed);
  transmit(std::move(stanza), std::move(children), prekey);
  return id;
}

void VirtualDevice::on_group_retry(const Node& receipt, Device& asker, const Sent& sent) {
  const Node* retry = receipt.child(names::kRetry);
  const auto jid = receipt.jid_attr(names::kFrom);
  const Group* group = jid ? world_.groups.find(*jid) : nullptr;
  if (group == nullptr || group->find(asker.account) == nullptr) return;
  wa::Message content = sent.message;
  if (const auto key = sender_key_message(*group)) content.MergeFrom(*key);
  auto enc = encrypt(asker, content);
  if (!enc) return;
  if (sent.tamper) std::get<Bytes>(enc->content).back() ^= std::byte{1};
  enc->set_attr(names::kCount, retry->text_attr(names::kCount));
  Node stanza(names::kMessage, {{"to", group->jid},
                                {"id", retry->text_attr("id")},
                                {"type", "text"},
                                {"t", retry->text_attr(names::kT)},
                                {names::kParticipant, group->name_of(asker)},
                                {names::kAddressingMode, group->by_lid ? "lid" : "pn"}});
  std::vector<Node> children;
  const bool prekey = enc->text_attr(names::kType) == names::kPkmsg;
  children.push_back(std::move(*enc));
  transmit(std::move(stanza), std::move(children), prekey);
}

}  // namespace posthorn::simulator
