#include "simulator/relay.h"

#include <algorithm>
#include <set>

#include "posthorn/wire/names.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr std::size_t kSeenIds = 20'000;

bool needs_ack(const Node& stanza) {
  return (stanza.tag == names::kMessage || stanza.tag == names::kReceipt ||
          stanza.tag == names::kNotification || stanza.tag == names::kCall) &&
         stanza.has_attr("id");
}

/// A second sending of a message that somebody could not read.
bool is_resend(const Node& message) {
  const auto counted = [](const Node& enc) {
    return enc.tag == names::kEnc && enc.has_attr(names::kCount);
  };
  if (message.text_attr("device_fanout") == "false") return true;
  if (std::ranges::any_of(message.children(), counted)) return true;
  const Node* participants = message.child(names::kParticipants);
  return participants != nullptr &&
         std::ranges::any_of(participants->children(), [&](const Node& to) {
           return std::ranges::any_of(to.children(), counted);
         });
}

}  // namespace

bool Relay::SeenIds::insert(const std::string& id) {
  if (!ids.insert(id).second) return false;
  order.push_back(id);
  if (order.size() > kSeenIds) {
    ids.erase(order.front());
    order.pop_front();
  }
  return true;
}

// Delivery and the backlog
// --------------------------------------------------------------------------

void Relay::deliver(Device& to, Node stanza) {
  if (!needs_ack(stanza)) {
    if (to.live && to.endpoint != nullptr) to.endpoint->deliver(stanza);
    return;
  }
  const bool now = to.live && to.endpoint != nullptr;
  std::string tag = stanza.tag, id = stanza.text_attr("id");
  to.queue.push_back({std::move(stanza), std::move(tag), std::move(id), now});
  if (now) {
    const Node copy = to.queue.back().stanza;  // a virtual device may settle it at once
    to.endpoint->deliver(copy);
  }
}

void Relay::notify_account(const Account& account, const char* type, const Node& child) {
  for (const auto& [id, device] : account.devices) {
    deliver(*device, Node(names::kNotification,
                          {{"type", type},
                           {"from", server_jid()},
                           {"id", world_.next_id()},
                           {"t", world_.now_text()}},
                          std::vector{child}));
  }
}

void Relay::on_login(Device& device, bool passive) {
  device.live = false;
  for (auto& entry : device.queue) entry.sent = false;
  if (!passive) on_active(device);
}

void Relay::on_active(Device& device) {
  if (device.live || draining(device) || device.endpoint == nullptr) return;
  Drain& drain = drains_[&device];
  drain.total = device.queue.size();
  if (drain.total == 0) return finish_drain(device);
  const auto count = [&device](std::string_view tag) {
    return std::to_string(std::ranges::count_if(
        device.queue, [tag](const Queued& entry) { return entry.tag == tag; }));
  };
  device.endpoint->deliver(
      Node(names::kIb, {{"from", server_jid()}},
           std::vector{Node(names::kOfflinePreview, {{"count", std::to_string(drain.total)},
                                                     {"message", count(names::kMessage)},
                                                     {"receipt", count(names::kReceipt)},
                                                     {"notification", count(names::kNotification)},
                                                     {"appdata", "0"},
                                                     {"call", count(names::kCall)}})}));
  constexpr std::size_t kPrimer = 5;
  drain.patience = std::make_unique<Timer>(world_.scheduler);
  send_batch(device, kPrimer);
}

void Relay::send_batch(Device& device, std::size_t count) {
  const auto it = drains_.find(&device);
  if (it == drains_.end()) return;
  Drain& drain = it->second;
  for (std::size_t i = 0; i < device.queue.size() && count > 0; ++i) {
    if (device.queue[i].sent) continue;
    device.queue[i].sent = true;
    Node stanza = device.queue[i].stanza;
    stanza.set_attr(names::kOffline, std::to_string(drain.sent++));
    device.endpoint->deliver(stanza);
    if (device.endpoint == nullptr) return;  // a fault broke the line
    --count;
  }
  if (std::ranges::all_of(device.queue, &Queued::sent)) return finish_drain(device);
  if (world_.options.offline_strict) return;
  drain.patience->start(seconds(1), [this, &device] { send_batch(device, device.queue.size()); });
}

void Relay::finish_drain(Device& device) {
  const std::size_t total = std::max(drains_[&device].total, drains_[&device].sent);
  drains_.erase(&device);
  device.live = true;
  device.endpoint->deliver(
      Node(names::kIb, {{"from", server_jid()}},
           std::vector{Node(names::kOffline, {{"count", std::to_string(total)}})}));
  if (!device.welcomed) world_.peers.welcome(device);
}

void Relay::on_gone(Device& device) {
  drains_.erase(&device);
  device.live = false;
  device.available = false;
  for (auto& entry : device.queue) entry.sent = false;
}

void Relay::on_ib(Device& from, const Node& ib) {
  const Node* batch = ib.child(names::kOfflineBatch);
  if (batch == nullptr) return;
  const auto count = batch->int_attr(names::kCount).value_or(0);
  if (count <= 0) return world_.violation(from, "offline_batch without count");
  send_batch(from, static_cast<std::size_t>(count));
}

void Relay::settle(Device& device, std::string_view tag, const std::string& id, const Node* ack) {
  auto& queue = device.queue;
  const auto same = [&](const Queued& entry) {
    return entry.sent && entry.id == id && entry.tag == tag;
  };
  auto found = std::ranges::find_if(queue, [&](const Queued& entry) {
    return same(entry) && (ack == nullptr ||
                           (entry.stanza.text_attr(names::kType) == ack->text_attr(names::kType) &&
                            entry.stanza.text_attr(names::kFrom) == ack->text_attr(names::kTo)));
  });
  if (found == queue.end()) found = std::ranges::find_if(queue, same);
  if (found != queue.end()) queue.erase(found);
}

// Messages
// ------------------------------------------------------------------------------------------

void Relay::ack_message(Device& from, const Node& message, int error, const std::string& phash) {
  if (from.endpoint == nullptr) return;
  Node ack(names::kAck, {{"class", names::kMessage}, {"id", message.text_attr("id")}});
  if (const auto to = message.jid_attr(names::kTo)) ack.set_attr(names::kFrom, *to);
  ack.set_attr(names::kT, world_.now_text());
  if (const auto type = message.attr(names::kType)) ack.set_attr(names::kType, *type);
  if (!phash.empty()) ack.set_attr(names::kPhash, phash);
  if (error != 0) ack.set_attr(names::kError, std::to_string(error));
  from.endpoint->deliver(ack);
}

int Relay::policy_error(const Device& from, const Account& target, const Node& message) const {
  const Account& account = from.account;
  if (&account == &target || message.text_attr(names::kCategory) == names::kPeer) return 0;
  if (!account.lid_migrated && message.jid_attr(names::kTo)->is_lid()) return 400;
  if (account.wrote_to_us.contains(target.phone)) return 0;
  const auto issued = target.tokens_issued.find(account.phone);
  const Node* token = message.child(names::kTctoken);
  if (token != nullptr && issued != target.tokens_issued.end() &&
      std::ranges::equal(token->bytes(), issued->second)) {
    return 0;
  }
  const Node* stranger = message.child("cstoken");
  if (stranger != nullptr && !account.nct_salt.empty() &&
      std::ranges::equal(
          stranger->bytes(),
          crypto::hmac_sha256(account.nct_salt, as_bytes(to_string(target.lid()))))) {
    return 0;
  }
  if (account.restricted || account.timelock.holds(world_.now().unix_seconds())) return 463;
  const bool new_chat = !account.talked_with.contains(target.phone);
  if (account.cap.status == "CAPPED" && new_chat) return 475;
  return 0;
}

std::optional<std::vector<Relay::Routed>> Relay::route(Device& from, Account& target,
                                                       const Node& message) {
  std::vector<Routed> out;
  const Node* participants = message.child(names::kParticipants);
  if (participants == nullptr) {
    const Node* enc = message.child(names::kEnc);
    Device* device = world_.directory.find_device(*message.jid_attr(names::kTo));
    if (enc != nullptr && device != nullptr) out.push_back({device, enc});
    return out;
  }
  for (const Node& to : participants->children()) {
    const auto jid = to.jid_attr("jid");
    Account* owner = jid ? world_.directory.find(*jid) : nullptr;
    if (owner == nullptr || (owner != &target && owner != &from.account)) {
      world_.violation(from, "message " + message.text_attr("id") +
                                 " names a device of neither side: " + to.text_attr("jid"));
      return std::nullopt;
    }
    Device* device = owner->device(jid->device);
    const Node* enc = to.child(names::kEnc);
    // What a virtual sender has nothing for: chapter 06 section 6.5.
    if (enc == nullptr && from.virtual_device != nullptr) enc = to.child(names::kUnavailable);
    if (device == &from) {
      world_.violation(from, "message encrypted for the sending device itself");
      continue;
    }
    if (device != nullptr && enc != nullptr) out.push_back({device, enc});
  }
  return out;
}

std::string Relay::fresh_phash(const Device& from, const Account& target, const Node& message,
                               const std::vector<Routed>& routed) const {
  if (message.child(names::kParticipants) == nullptr || is_resend(message)) return {};
  std::set<const Device*> named{&from}, registered;
  for (const Routed& one : routed) named.insert(one.device);
  for (const Account* account : {&target, static_cast<const Account*>(&from.account)}) {
    for (const auto& [id, device] : account->devices) registered.insert(device.get());
  }
  const std::size_t listed = message.child(names::kParticipants)->children().size();
  if (named == registered && listed + 1 == named.size()) return {};
  std::vector<wire::Jid> jids;
  const wire::Jid to = *message.jid_attr(names::kTo);
  for (const Device* device : registered) jids.push_back(device->named_like(to));
  return device_hash(jids);
}

Node Relay::relayed(const Device& from, const Account& target, const Device& to,
                    const Node& message, const Node& enc) const {
  const bool lid = world_.options.lid_addressing && from.account.lid_migrated &&
                   target.lid_migrated && to.account.lid_migrated;
  const bool peer = message.text_attr(names::kCategory) == names::kPeer;
  Node out(names::kMessage, {{"from", lid ? from.lid() : from.pn()},
                             {"id", message.text_attr("id")},
                             {"type", message.text_attr(names::kType)},
                             {"t", world_.now_text()}});
  if (!from.account.name.empty()) out.set_attr(names::kNotify, from.account.name);
  if (&to.account == &from.account && !peer) {
    // A resend to an own device names the chat itself; its `to` is that device.
    const auto named = message.jid_attr(names::kRecipient);
    const Account* chat = named ? world_.directory.find(*named) : nullptr;
    if (chat == nullptr) chat = &target;
    out.set_attr(names::kRecipient, lid ? chat->lid() : chat->pn());
    out.set_attr(lid ? names::kPeerRecipientPn : names::kPeerRecipientLid,
                 lid ? chat->pn() : chat->lid());
  } else {
    out.set_attr(lid ? names::kSenderPn : names::kSenderLid,
                 lid ? from.account.pn() : from.account.lid());
  }
  for (const char* copied : {names::kEdit, names::kCategory}) {
    if (const auto value = message.attr(copied)) out.set_attr(copied, *value);
  }
  std::vector<Node> children{enc};
  for (const Node& child : message.children()) {
    if (child.tag == names::kEnc || child.tag == names::kParticipants ||
        child.tag == names::kTctoken || child.tag == names::kCstoken) {
      continue;
    }
    children.push_back(child);
  }
  out.content = std::move(children);
  return out;
}

void Relay::on_message(Device& from, const Node& message) {
  const std::string id = message.text_attr("id");
  const auto to = message.jid_attr(names::kTo);
  const bool has_payload =
      message.child(names::kParticipants) != nullptr || message.child(names::kEnc) != nullptr;
  if (id.empty() || !to || message.text_attr(names::kType).empty() || !has_payload) {
    world_.violation(from, "message without id, to, type or payload");
    return ack_message(from, message, 400, {});
  }
  if (to->is_group()) return on_group_message(from, message);
  if (to->user == "status" && to->server == wire::kServerBroadcast) return on_story(from, message);
  Account* target = world_.directory.find(*to);
  if (target == nullptr) return ack_message(from, message, to->is_person() ? 404 : 403, {});
  if (const int error = policy_error(from, *target, message)) {
    return ack_message(from, message, error, {});
  }
  if (!is_resend(message) && !seen_[to_string(from.pn())].insert(id)) {
    return ack_message(from, message, 0, {});
  }
  const auto routed = route(from, *target, message);
  if (!routed) return ack_message(from, message, 400, {});

  remember_sender(id, from);
  const bool foreign = target != &from.account;
  if (foreign) {
    target->wrote_to_us.insert(from.account.phone);
    target->talked_with.insert(from.account.phone);
    from.account.talked_with.insert(target->phone);
  }
  ack_message(from, message, 0, fresh_phash(from, *target, message, *routed));
  const bool swallowed = foreign && target->blocked.contains(from.account.phone);
  for (const Routed& one : *routed) {
    if (swallowed && &one.device->account == target) continue;
    deliver(*one.device, relayed(from, *target, *one.device, message, *one.enc));
  }
}

// Receipts and acks
// ---------------------------------------------------------------------------------

void Relay::on_receipt(Device& from, const Node& receipt) {
  const std::string id = receipt.text_attr("id");
  const auto to = receipt.jid_attr(names::kTo);
  if (id.empty() || !to) return world_.violation(from, "receipt without id or to");
  const std::string type = receipt.text_attr(names::kType);
  settle(from, names::kMessage, id, nullptr);
  if (const Node* list = receipt.child(names::kList)) {
    for (const Node& item : list->children()) {
      settle(from, names::kMessage, item.text_attr("id"), nullptr);
    }
  }
  if (from.endpoint != nullptr) {
    Node ack(names::kAck, {{"class", names::kReceipt}, {"id", id}, {"from", *to}});
    if (!type.empty()) ack.set_attr(names::kType, type);
    if (const auto participant = receipt.jid_attr(names::kParticipant)) {
      ack.set_attr(names::kParticipant, *participant);
    }
    from.endpoint->deliver(ack);
  }
  if (to->is_group()) {
    if (type == names::kRead || type == names::kReadSelf) {
      tell_own_devices_read(from, receipt, names::kReadSelf);
    }
    if (type != names::kReadSelf) forward_group_receipt(from, receipt);
    return;
  }
  if (to->server == wire::kServerBroadcast) return forward_story_receipt(from, receipt);
  if (type == "retry") return forward_retry(from, receipt, *to);
  if (type == "server-error") return world_.peers.upload_again(from, receipt);
  if (type == names::kSender || type == names::kHistSync || type == names::kPeerMsg) return;
  if (type == names::kReadSelf || type == names::kPlayedSelf) {
    return tell_own_devices_read(from, receipt, type.c_str());
  }
  Account* target = world_.directory.find(*to);
  if (target == nullptr || target == &from.account) return;
  if (type == names::kRead || type == names::kPlayed) {
    tell_own_devices_read(from, receipt,
                          type == names::kRead ? names::kReadSelf : names::kPlayedSelf);
    if (from.account.privacy["readreceipts"] == "none") return;
  }
  forward_receipt(from, *target, receipt);
}

void Relay::forward_receipt(Device& from, Account& target, const Node& receipt) {
  const std::string type = receipt.text_attr(names::kType);
  Node out(names::kReceipt, {{"from", from.named_like(*receipt.jid_attr(names::kTo))},
                             {"id", receipt.text_attr("id")},
                             {"t", world_.now_text()}});
  if (!type.empty() && type != names::kInactive) out.set_attr(names::kType, type);
  if (const Node* list = receipt.child(names::kList)) out.content = std::vector{*list};
  for (const auto& [device_id, device] : target.devices) deliver(*device, out);
}

void Relay::tell_own_devices_read(Device& from, const Node& receipt, const char* type) {
  Node out(names::kReceipt, {{"from", from.named_like(*receipt.jid_attr(names::kTo))},
                             {"id", receipt.text_attr("id")},
                             {"t", world_.now_text()},
                             {"type", type},
                             {"recipient", *receipt.jid_attr(names::kTo)}});
  if (const Node* list = receipt.child(names::kList)) out.content = std::vector{*list};
  for (const auto& [device_id, device] : from.account.devices) {
    if (device.get() != &from) deliver(*device, out);
  }
}

void Relay::forward_retry(Device& from, const Node& receipt, const wire::Jid& to) {
  const Node* retry = receipt.child(names::kRetry);
  if (retry == nullptr || receipt.child(names::kRegistration) == nullptr) {
    return world_.violation(from, "retry receipt without retry or registration");
  }
  const auto sender = senders_.find(retry->text_attr("id"));
  Device* device = sender == senders_.end() ? world_.directory.find_device(to)
                                            : world_.directory.find_device(sender->second);
  if (device == nullptr) return;
  // The sender may answer with the same id to this device or (Baileys) to all of them once more.
  seen_[to_string(device->pn())].ids.erase(retry->text_attr("id"));
  Node out = receipt;
  out.remove_attr(names::kTo);
  out.set_attr(names::kFrom, from.named_like(to));
  out.set_attr(names::kT, world_.now_text());
  deliver(*device, std::move(out));
}

void Relay::on_ack(Device& from, const Node& ack) {
  const std::string cls = ack.text_attr(names::kClass);
  settle(from, cls, ack.text_attr("id"), &ack);
}

// What is not kept
// ----------------------------------------------------------------------------------

void Relay::on_presence(Device& from, const Node& presence) {
  const std::string type = presence.text_attr(names::kType);
  if (type == names::kAvailable) from.available = true;
  if (type == names::kUnavailable) from.available = false;
  const std::string name = presence.text_attr("name");
  if (!name.empty()) from.account.name = name;
}

void Relay::on_chatstate(Device& from, const Node& chatstate) {
  const auto to = chatstate.jid_attr(names::kTo);
  if (to && from.available) {
    if (const Group* group = world_.groups.find(*to))
      return group_chatstate(from, *group, chatstate);
  }
  const Account* target = to ? world_.directory.find(*to) : nullptr;
  if (target == nullptr || !from.available) return;
  Node out(names::kChatstate, {{"from", from.account.named_like(*to)}}, chatstate.children());
  for (const auto& [id, device] : target->devices) deliver(*device, out);
}

void Relay::on_call(Device& from, const Node& call) {
  if (from.endpoint == nullptr) return;
  Node ack(names::kAck, {{"class", names::kCall}, {"id", call.text_attr("id")}});
  if (const auto to = call.jid_attr(names::kTo)) ack.set_attr(names::kFrom, *to);
  from.endpoint->deliver(ack);
  world_.calls.on_call(from, call);
}

}  // namespace posthorn::simulator
