// Messages, receipts and typing in groups and stories. Chapters 10 section 10, 13 B7.
#include <algorithm>
#include <map>
#include <set>

#include "posthorn/wire/names.h"
#include "simulator/relay.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

/// Sent once more, for one device: it names that device.
bool is_for_one(const Node& message) {
  return message.has_attr(names::kParticipant) && message.child(names::kEnc) != nullptr;
}

const Node* sealed_part(const Node& message) {
  for (const Node& child : message.children()) {
    if (child.tag == names::kEnc && child.text_attr(names::kType) == names::kSkmsg) return &child;
  }
  return nullptr;
}

/// Why the server does not take a message for that group; 0: it does.
int group_error(const Group* group, const Device& from, const Node& message) {
  if (group == nullptr) return 404;
  const Group::Member* member = group->find(from.account);
  if (member == nullptr || group->suspended) return 403;
  if (group->announcement && member->role == Group::Role::member) return 403;
  const std::string mode = message.text_attr(names::kAddressingMode);
  if (!is_for_one(message) && !mode.empty() && mode != (group->by_lid ? "lid" : "pn")) return 421;
  return 0;
}

std::string hash_of(const Group& group) {
  std::vector<wire::Jid> jids;
  for (const Group::Member& member : group.members) {
    for (const auto& [id, device] : member.account->devices) jids.push_back(group.name_of(*device));
  }
  return device_hash(jids);
}

}  // namespace

void Relay::on_group_message(Device& from, const Node& message) {
  const wire::Jid to = *message.jid_attr(names::kTo);
  const std::string id = message.text_attr("id");
  Group* group = world_.groups.find(to);
  if (const int error = group_error(group, from, message)) {
    return ack_message(from, message, error, {});
  }
  if (is_for_one(message)) {
    Device* device = world_.directory.find_device(*message.jid_attr(names::kParticipant));
    ack_message(from, message, 0, {});
    if (device == nullptr || group->find(device->account) == nullptr) return;
    return deliver(*device, group_form(from, *group, message, {message.child(names::kEnc)}));
  }
  const Node* sealed = sealed_part(message);
  if (sealed != nullptr && !seen_[to_string(from.pn())].insert(id)) {
    return ack_message(from, message, 0, {});
  }
  const auto copies = group_copies(from, *group, message);
  if (!copies) return ack_message(from, message, 400, {});
  remember_sender(id, from);
  const std::string hash = hash_of(*group);
  const std::string named = message.text_attr(names::kPhash);
  ack_message(from, message, 0, named.empty() || named == hash ? std::string() : hash);
  for (const Group::Member& member : group->members) {
    for (const auto& [number, device] : member.account->devices) {
      if (device.get() == &from) continue;
      const auto copy = copies->find(device.get());
      std::vector<const Node*> encs;
      if (copy != copies->end()) encs.push_back(copy->second);
      if (sealed != nullptr) encs.push_back(sealed);
      if (!encs.empty()) deliver(*device, group_form(from, *group, message, encs));
    }
  }
}

/// nullopt: it names a device of no member.
std::optional<std::map<const Device*, const Node*>> Relay::group_copies(Device& from,
                                                                        const Group& group,
                                                                        const Node& message) {
  std::map<const Device*, const Node*> copies;
  const Node* participants = message.child(names::kParticipants);
  if (participants == nullptr) return copies;
  for (const Node& to : participants->children()) {
    const auto jid = to.jid_attr("jid");
    Account* owner = jid ? world_.directory.find(*jid) : nullptr;
    if (owner == nullptr || group.find(*owner) == nullptr) {
      world_.violation(from, "message " + message.text_attr("id") +
                                 " names a device of no member: " + to.text_attr("jid"));
      return std::nullopt;
    }
    const Device* device = owner->device(jid->device);
    const Node* enc = to.child(names::kEnc);
    if (device == &from) {
      world_.violation(from, "message encrypted for the sending device itself");
      continue;
    }
    if (device != nullptr && enc != nullptr) copies[device] = enc;
  }
  return copies;
}

Node Relay::group_form(const Device& from, const Group& group, const Node& message,
                       const std::vector<const Node*>& encs) const {
  Node out(names::kMessage, {{"from", group.jid},
                             {names::kParticipant, group.name_of(from)},
                             {group.by_lid ? names::kParticipantPn : names::kParticipantLid,
                              group.by_lid ? from.account.pn() : from.account.lid()},
                             {names::kAddressingMode, group.by_lid ? "lid" : "pn"},
                             {"id", message.text_attr("id")},
                             {"type", message.text_attr(names::kType)},
                             {"t", world_.now_text()}});
  if (!from.account.name.empty()) out.set_attr(names::kNotify, from.account.name);
  if (const auto edit = message.attr(names::kEdit)) out.set_attr(names::kEdit, *edit);
  std::vector<Node> children;
  for (const Node* enc : encs) children.push_back(*enc);
  for (const Node& child : message.children()) {
    if (child.tag != names::kEnc && child.tag != names::kParticipants) children.push_back(child);
  }
  out.content = std::move(children);
  return out;
}

void Relay::remember_sender(const std::string& id, const Device& from) {
  constexpr std::size_t kSenders = 50'000;
  senders_[id] = from.pn();
  sender_order_.push_back(id);
  if (sender_order_.size() > kSenders) {
    senders_.erase(sender_order_.front());
    sender_order_.pop_front();
  }
}

void Relay::forward_group_receipt(Device& from, const Node& receipt) {
  const wire::Jid to = *receipt.jid_attr(names::kTo);
  const Group* group = world_.groups.find(to);
  const std::string type = receipt.text_attr(names::kType);
  const Node* retry = receipt.child(names::kRetry);
  const std::string id = retry != nullptr ? retry->text_attr("id") : receipt.text_attr("id");
  const auto sender = senders_.find(id);
  if (group == nullptr || sender == senders_.end()) return;
  if (group->find(from.account) == nullptr) {
    return world_.violation(from, "receipt for a group it is not in");
  }
  Device* author = world_.directory.find_device(sender->second);
  if (author == nullptr) return;
  Node out = receipt;
  out.remove_attr(names::kTo);
  out.set_attr(names::kFrom, group->jid);
  out.set_attr(names::kParticipant, group->name_of(from));
  out.set_attr(names::kT, world_.now_text());
  if (type == "retry") {
    seen_[to_string(author->pn())].ids.erase(id);
    return deliver(*author, std::move(out));
  }
  if (type == names::kInactive) out.remove_attr(names::kType);
  if (type == names::kRead && from.account.privacy["readreceipts"] == "none") return;
  for (const auto& [number, device] : author->account.devices) deliver(*device, out);
}

void Relay::group_chatstate(Device& from, const Group& group, const Node& chatstate) {
  for (const Group::Member& member : group.members) {
    if (member.account == &from.account) continue;
    const Node out(names::kChatstate,
                   {{"from", group.jid}, {names::kParticipant, group.name_of(from.account)}},
                   chatstate.children());
    for (const auto& [id, device] : member.account->devices) deliver(*device, out);
  }
}

}  // namespace posthorn::simulator
