// Statuses (stories). Chapters 10 section 11, 13 B7.
#include <map>

#include "posthorn/wire/names.h"
#include "simulator/relay.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr int kBadStanza = 400;
constexpr int kNotForStories = 479;

/// Why the server does not take it; 0: it does.
int story_error(const Node& message) {
  if (message.has_attr(names::kAddressingMode) || message.has_attr(names::kPhash))
    return kNotForStories;
  const Node* meta = message.child("meta");
  const bool setting = meta != nullptr && meta->has_attr("status_setting");
  const bool change = message.has_attr(names::kEdit) || message.text_attr("type") == "reaction";
  if (change && setting) return kNotForStories;
  return 0;
}

Node story_form(const Device& from, const Node& message, const Node* copy, const Node* sealed) {
  Node out(names::kMessage, {{"from", *message.jid_attr(names::kTo)},
                             {names::kParticipant, from.lid()},
                             {names::kParticipantPn, from.account.pn()},
                             {"id", message.text_attr("id")},
                             {"type", message.text_attr(names::kType)}});
  if (!from.account.name.empty()) out.set_attr(names::kNotify, from.account.name);
  if (const auto edit = message.attr(names::kEdit)) out.set_attr(names::kEdit, *edit);
  std::vector<Node> children;
  if (copy != nullptr) children.push_back(*copy);
  if (sealed != nullptr) children.push_back(*sealed);
  for (const Node& child : message.children()) {
    if (child.tag != names::kEnc && child.tag != names::kParticipants) children.push_back(child);
  }
  out.content = std::move(children);
  return out;
}

}  // namespace

void Relay::on_story(Device& from, const Node& message) {
  if (const int error = story_error(message)) return ack_message(from, message, error, {});
  const Node* sealed = nullptr;
  for (const Node& child : message.children()) {
    if (child.tag == names::kEnc) sealed = &child;
  }
  const std::string id = message.text_attr("id");
  // Once more for one device.
  if (const auto asker = message.jid_attr(names::kParticipant)) {
    Device* device = world_.directory.find_device(*asker);
    ack_message(from, message, 0, {});
    if (device == nullptr) return;
    Node out = story_form(from, message, nullptr, sealed);
    out.set_attr(names::kT, world_.now_text());
    return deliver(*device, std::move(out));
  }
  const Node* participants = message.child(names::kParticipants);
  if (sealed == nullptr || participants == nullptr) {
    world_.violation(from, "status " + id + " without a sealed part or without people");
    return ack_message(from, message, kBadStanza, {});
  }
  if (!seen_[to_string(from.pn())].insert(id)) return ack_message(from, message, 0, {});
  // Devices with their own copy of the key, and all those of everybody who is named.
  std::map<Device*, const Node*> readers;
  for (const Node& to : participants->children()) {
    const auto jid = to.jid_attr("jid");
    Account* owner = jid ? world_.directory.find(*jid) : nullptr;
    if (owner == nullptr) {
      world_.violation(from, "status " + id + " names nobody: " + to.text_attr("jid"));
      return ack_message(from, message, kBadStanza, {});
    }
    for (const auto& [number, device] : owner->devices) readers.try_emplace(device.get(), nullptr);
    if (const Node* enc = to.child(names::kEnc)) readers[owner->device(jid->device)] = enc;
  }
  remember_sender(id, from);
  ack_message(from, message, 0, {});
  for (const auto& [device, copy] : readers) {
    if (device == nullptr || device == &from) continue;
    Node out = story_form(from, message, copy, sealed);
    out.set_attr(names::kT, world_.now_text());
    deliver(*device, std::move(out));
  }
}

void Relay::forward_story_receipt(Device& from, const Node& receipt) {
  const std::string type = receipt.text_attr(names::kType);
  const Node* retry = receipt.child(names::kRetry);
  const std::string id = retry != nullptr ? retry->text_attr("id") : receipt.text_attr("id");
  const auto sender = senders_.find(id);
  Device* author =
      sender == senders_.end() ? nullptr : world_.directory.find_device(sender->second);
  if (author == nullptr) return;
  Node out = receipt;
  out.remove_attr(names::kTo);
  out.set_attr(names::kFrom, *receipt.jid_attr(names::kTo));
  out.set_attr(names::kParticipant, from.lid());
  out.set_attr(names::kT, world_.now_text());
  if (type == "retry") {
    seen_[to_string(author->pn())].ids.erase(id);
    return deliver(*author, std::move(out));
  }
  if (type == names::kInactive) out.remove_attr(names::kType);
  if (type == names::kSender || type == names::kReadSelf) return;
  if (type == names::kRead && from.account.privacy["readreceipts"] == "none") return;
  for (const auto& [number, device] : author->account.devices) deliver(*device, out);
}

}  // namespace posthorn::simulator
