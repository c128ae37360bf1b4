#include "simulator/virtual_device.h"

#include <algorithm>

#include "posthorn/base/job.h"
#include "posthorn/base/log.h"
#include "posthorn/signal/padding.h"
#include "posthorn/wire/names.h"
#include "simulator/peer_content.h"
#include "simulator/peer_files.h"
#include "simulator/phone_history.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr std::size_t kPrekeys = 20;
constexpr int kMaxRetries = 4;

void describe(const wa::Message& message, Received& out) {
  const wa::Message& content = content_of(message);
  const wa::Message& inner =
      content.has_editedmessage() ? content.editedmessage().message() : content;
  out.kind = kind_of(inner).empty() ? "other" : kind_of(inner);
  if (inner.has_reactionmessage()) {
    out.text = inner.reactionmessage().text();
    out.target_id = inner.reactionmessage().key().id();
  }
  if (inner.has_conversation()) {
    out.kind = "text";
    out.text = inner.conversation();
  } else if (inner.has_extendedtextmessage()) {
    out.kind = "text";
    out.text = inner.extendedtextmessage().text();
    out.target_id = inner.extendedtextmessage().contextinfo().stanzaid();
  } else if (const std::string kind = file_kind(inner); !kind.empty()) {
    out.kind = kind;
    out.text = file_caption(inner);
  } else if (inner.has_protocolmessage() && inner.protocolmessage().has_type()) {
    const auto& protocol = inner.protocolmessage();
    out.target_id = protocol.key().id();
    if (protocol.type() == wa::Message::ProtocolMessage::REVOKE) out.kind = "revoke";
    if (protocol.type() == wa::Message::ProtocolMessage::APP_STATE_SYNC_KEY_REQUEST) {
      out.kind = "key_share_request";
    }
    if (protocol.type() == wa::Message::ProtocolMessage::MESSAGE_EDIT) {
      out.kind = "edit";
      const auto& edited = protocol.editedmessage();
      out.text =
          edited.has_conversation() ? edited.conversation() : edited.extendedtextmessage().text();
    }
  }
}

Bytes adv_prefixed(std::uint8_t second, std::initializer_list<ByteView> parts) {
  Bytes out{std::byte{6}, static_cast<std::byte>(second)};
  for (const ByteView part : parts) append(out, part);
  return out;
}

std::string filled(std::string pattern, const std::string& text) {
  const std::size_t at = pattern.find("%s");
  if (at != std::string::npos) pattern.replace(at, 2, text);
  return pattern;
}

}  // namespace

VirtualDevice::VirtualDevice(World& world, Device& device, const signal::OwnIdentity& identity)
    : world_(world), device_(device), protocol_(store_, world.random) {
  // A map-backed store does not fail; what it returns is not looked at in this class.
  (void)store_.save_own_identity(identity);
  (void)protocol_.own_identity(world.now());
  ServerKeys keys;
  keys.registration_id = identity.registration_id;
  keys.identity = identity.key.public_key;
  auto signed_key = protocol_.current_signed_pre_key();
  if (!signed_key) {
    auto pending = protocol_.next_signed_pre_key(world.now());
    if (pending) (void)store_.make_current(pending->id);
    signed_key = protocol_.current_signed_pre_key();
  }
  if (signed_key) {
    keys.signed_pre_key = {signed_key->id, signed_key->key.public_key,
                           to_bytes(signed_key->signature)};
  }
  keys.uploaded = true;
  device_.keys = std::move(keys);
  refill_prekeys();
}

void VirtualDevice::refill_prekeys() {
  auto& stock = device_.keys.one_time;
  if (!device_.keys.refill || stock.size() >= kPrekeys / 2) return;
  std::vector<signal::KeyPair> pairs;
  while (stock.size() + pairs.size() < kPrekeys)
    pairs.push_back(signal::make_key_pair(world_.random));
  const auto ids = store_.add_pre_keys(pairs, signal::PreKeyState::offered);
  if (!ids) return;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    stock.push_back({(*ids)[i], pairs[i].public_key});
  }
}

signal::Address VirtualDevice::address_of(const Device& device) const {
  return signal::make_address(device.account.phone, wire::kServerUser, device.id);
}

void VirtualDevice::transmit(const Node& stanza) { world_.on_device_stanza(device_, stanza); }

void VirtualDevice::transmit(Node stanza, std::vector<Node> children, bool prekey) {
  if (prekey && !device_.device_identity.empty()) {
    children.emplace_back(names::kDeviceIdentity, std::vector<wire::Attr>{},
                          device_.device_identity);
  }
  stanza.content = std::move(children);
  transmit(stanza);
}

void VirtualDevice::deliver(const Node& stanza) {
  world_.note(JournalEntry::Direction::out, 0, &device_, stanza);
  world_.post([&world = world_, jid = device_.pn(), stanza] {
    Device* device = world.directory.find_device(jid);
    if (device != nullptr && device->virtual_device != nullptr && device->endpoint != nullptr) {
      device->virtual_device->handle(stanza);
    }
  });
}

void VirtualDevice::handle(const Node& stanza) {
  if (stanza.tag == names::kMessage) return on_message(stanza);
  if (stanza.tag == names::kReceipt) {
    if (stanza.text_attr(names::kType) == "retry") on_retry(stanza);
    return acknowledge(stanza);
  }
  if (stanza.tag == names::kNotification) {
    on_notification(stanza);
    return acknowledge(stanza);
  }
  if (stanza.tag == names::kCall) return acknowledge(stanza);
}

void VirtualDevice::acknowledge(const Node& stanza) {
  Node ack(names::kAck, {{"class", stanza.tag}, {"id", stanza.text_attr("id")}});
  if (const auto from = stanza.jid_attr(names::kFrom)) ack.set_attr(names::kTo, *from);
  const std::string type = stanza.text_attr(names::kType);
  if (!type.empty()) ack.set_attr(names::kType, type);
  transmit(ack);
}

void VirtualDevice::receipt(const Node& message, const char* type) {
  Node out(names::kReceipt, {{"id", message.text_attr("id")}});
  out.set_attr(names::kTo, *message.jid_attr(names::kFrom));
  if (type != nullptr) out.set_attr(names::kType, type);
  for (const char* copied : {names::kRecipient, names::kParticipant}) {
    if (const auto jid = message.jid_attr(copied)) out.set_attr(copied, *jid);
  }
  transmit(out);
}

// Receiving
// -----------------------------------------------------------------------------------------

void VirtualDevice::check_device_identity(const Device& sender, const Node& message) {
  if (sender.id == 0) return;
  const Node* child = message.child(names::kDeviceIdentity);
  wa::ADVSignedDeviceIdentity identity;
  const ByteView bytes = child == nullptr ? ByteView() : child->bytes();
  if (child == nullptr || !identity.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return world_.violation(sender, "pkmsg without device-identity");
  }
  const auto& account_key = sender.account.identity.key.public_key;
  const auto details = as_bytes(identity.details());
  const auto& own = sender.keys.identity;
  if (!std::ranges::equal(as_bytes(identity.accountsignaturekey()), account_key) ||
      !signal::verify(account_key, adv_prefixed(0, {details, own}),
                      as_bytes(identity.accountsignature())) ||
      !signal::verify(own, adv_prefixed(1, {details, own, account_key}),
                      as_bytes(identity.devicesignature()))) {
    world_.violation(sender, "pkmsg with a device-identity that does not verify");
  }
}

tl::expected<Bytes, signal::DecryptError> VirtualDevice::open(const Node& message,
                                                              const Device& sender,
                                                              const Node& enc) {
  const std::string type = enc.text_attr(names::kType);
  if (type == names::kPkmsg) check_device_identity(sender, message);
  const auto opened = [&]() -> signal::DecryptResult {
    if (type == names::kSkmsg) {
      return protocol_.decrypt_group(
          {to_string(message.jid_attr(names::kFrom)->bare()), address_of(sender)}, enc.bytes());
    }
    return type == names::kPkmsg ? protocol_.decrypt_pkmsg(address_of(sender), enc.bytes())
                                 : protocol_.decrypt_msg(address_of(sender), enc.bytes());
  }();
  if (!opened) return tl::unexpected(opened.error().kind);
  return opened->plaintext;
}

/// Everything that can be read of it; the last part is what is said.
void VirtualDevice::on_message(const Node& message) {
  const auto from = message.jid_attr(names::kFrom);
  const auto author = message.jid_attr(names::kParticipant);
  Device* sender = from ? world_.directory.find_device(author.value_or(*from)) : nullptr;
  if (sender == nullptr || message.child(names::kEnc) == nullptr) return acknowledge(message);
  bool said = false;
  for (const Node& enc : message.children()) {
    if (enc.tag != names::kEnc) continue;
    const auto opened = open(message, *sender, enc);
    if (!opened) {
      if (opened.error() == signal::DecryptError::duplicate) return receipt(message, nullptr);
      return ask_again(message, opened.error());
    }
    const auto plain = signal::unpad(*opened);
    wa::Message content;
    if (!plain || !content.ParseFromArray(plain->data(), static_cast<int>(plain->size()))) {
      world_.violation(*sender, "message " + message.text_attr("id") + ": not a padded protobuf");
      return acknowledge(message);
    }
    take_sender_key(message, *sender, content);
    content.clear_senderkeydistributionmessage();
    if (author && content.ByteSizeLong() == 0) continue;
    said = true;
    keep(message, *sender, content, enc.text_attr(names::kType), *plain);
  }
  if (!said) receipt(message, nullptr);
}

void VirtualDevice::keep(const Node& message, const Device& sender, const wa::Message& content,
                         const std::string& enc_type, ByteView plain) {
  Received received;
  received.id = message.text_attr("id");
  received.sender = to_string(sender.pn());
  received.device = device_.id;
  received.from_me = &sender.account == &device_.account;
  const auto recipient = message.jid_attr(names::kRecipient);
  const auto author = message.jid_attr(names::kParticipant);
  const Account* chat = recipient ? world_.directory.find(*recipient) : &sender.account;
  received.chat = author            ? to_string(message.jid_attr(names::kFrom)->bare())
                  : chat == nullptr ? std::string()
                                    : to_string(chat->pn());
  received.enc_type = enc_type;
  received.protobuf = to_bytes(plain);
  received.at = world_.now();
  describe(content, received);
  if (const auto file = open_peer_file(content, world_.media)) {
    received.file = Received::File{file->size(), hex_encode(crypto::sha256(*file))};
  }
  if (received.from_me && !author && !content.has_devicesentmessage() &&
      message.text_attr(names::kCategory) != names::kPeer) {
    world_.violation(sender, "own copy of " + received.id + " without deviceSentMessage");
  }
  check_look(message, sender, content);
  retries_.erase(received.id);
  const wire::Jid from = *message.jid_attr(names::kFrom);
  const bool again = seen_.contains(received.id);
  if (!again) {
    seen_.put(received.id, {from, chat == nullptr ? std::string() : chat->phone, author});
    world_.peers.keep(device_.account, received);
  }
  const auto& question = content.protocolmessage().peerdataoperationrequestmessage();
  if (!again && received.from_me && device_.id == 0 && question.has_historysyncondemandrequest()) {
    Device* asker = world_.directory.find_device(sender.pn());
    if (asker != nullptr) answer_history(world_, *asker, received.id, question);
  }
  if (!again && received.from_me && question.placeholdermessageresendrequest_size() > 0) {
    answer_placeholders(sender, received.id, question);
  }
  if (received.from_me) {
    return receipt(message, message.text_attr(names::kCategory) == names::kPeer ? names::kPeerMsg
                                                                                : names::kSender);
  }
  if (script.deliver) {
    receipt(message, nullptr);
  } else {
    acknowledge(message);
  }
  if (!again) react(received, from);
}

/// A stanza that says another type than its content has is refused by the real server's clients.
/// Places are taken as text too: some clients send them so.
void VirtualDevice::check_look(const Node& message, const Device& sender,
                               const wa::Message& content) {
  const wa::Message& inner = content_of(content);
  if (kind_of(inner).empty() || message.text_attr("device_fanout") == "false") return;
  const StanzaLook look = look_of(inner);
  if (message.text_attr(names::kType) == look.type) return;
  if (look.mediatype == "location" && message.text_attr(names::kType) == "text") return;
  world_.violation(sender, "message " + message.text_attr("id") + " of type " +
                               message.text_attr(names::kType) + " carries a " + kind_of(inner));
}

void VirtualDevice::react(const Received& received, const wire::Jid&) {
  if (received.from_me || received.kind != "text" || device_.id != 0) return;
  const auto later = [this, &received](milliseconds after, auto action) {
    world_.later(after, [&world = world_, jid = device_.pn(), received, action] {
      Device* device = world.directory.find_device(jid);
      if (device != nullptr && device->virtual_device != nullptr) {
        action(*device->virtual_device, received);
      }
    });
  };
  if (script.read_after) {
    later(*script.read_after, [](VirtualDevice& self, const Received& got) {
      if (const auto done = self.read(got.id); !done) {
        log::warn("simulator", "script cannot read", {{"why", done.error()}});
      }
    });
  }
  if (script.reply_after) {
    later(*script.reply_after, [](VirtualDevice& self, const Received& got) {
      PeerText text;
      text.to = got.chat;
      text.text = filled(self.script.reply_text, got.text);
      const auto done = self.world_.peers.send(self.device_.account.phone, text);
      if (!done) {
        log::warn("simulator", "script cannot reply", {{"why", done.error()}});
      }
    });
  }
}

void VirtualDevice::ask_again(const Node& message, signal::DecryptError why) {
  const std::string id = message.text_attr("id");
  const int count = ++retries_[id];
  log::debug("simulator", "virtual device cannot decrypt",
             {{"id", id}, {"why", to_string(why)}, {"count", count}});
  Node ack(names::kAck, {{"class", names::kMessage}, {"id", id}, {"error", "500"}});
  ack.set_attr(names::kTo, *message.jid_attr(names::kFrom));
  const auto registration = store_.own_identity();
  const auto signed_key = protocol_.current_signed_pre_key();
  if (script.retry && count <= kMaxRetries && registration && *registration && signed_key) {
    Node out(names::kReceipt, {{"id", id}, {"type", "retry"}});
    out.set_attr(names::kTo, *message.jid_attr(names::kFrom));
    for (const char* copied : {names::kRecipient, names::kParticipant}) {
      if (const auto jid = message.jid_attr(copied)) out.set_attr(copied, *jid);
    }
    std::vector<Node> children{
        Node(names::kRetry, {{"v", "1"},
                             {"count", std::to_string(count)},
                             {"id", id},
                             {"t", message.text_attr(names::kT)},
                             {"error", std::to_string(signal::retry_reason(why))}}),
        Node(names::kRegistration, {}, big_endian((*registration)->registration_id, 4))};
    const bool keys = count >= 2 || why == signal::DecryptError::no_session ||
                      why == signal::DecryptError::invalid_key_id;
    if (const auto pre_key = keys ? protocol_.pre_key_for_retry()
                                  : Result<signal::PreKey>(fail(Errc::not_found, ""))) {
      const auto key_parts = [](std::uint32_t number, const signal::PublicKey& key) {
        return std::vector{Node(names::kId, {}, big_endian(number, 3)),
                           Node(names::kValue, {}, to_bytes(key))};
      };
      Node skey(names::kSkey, {}, key_parts(signed_key->id, signed_key->key.public_key));
      skey.mutable_children().emplace_back(names::kSignature, std::vector<wire::Attr>{},
                                           to_bytes(signed_key->signature));
      std::vector<Node> parts{
          Node(names::kType, {}, Bytes{std::byte{5}}),
          Node(names::kIdentity, {}, to_bytes((*registration)->key.public_key)),
          Node(names::kKey, {}, key_parts(pre_key->id, pre_key->key.public_key)), std::move(skey)};
      if (!device_.device_identity.empty()) {
        parts.emplace_back(names::kDeviceIdentity, std::vector<wire::Attr>{},
                           device_.device_identity);
      }
      children.emplace_back(names::kKeys, std::vector<wire::Attr>{}, std::move(parts));
    }
    out.content = std::move(children);
    transmit(out);
  }
  transmit(ack);
}

Result<void> VirtualDevice::read(const std::string& message_id) {
  const Seen* seen = seen_.find(message_id);
  if (seen == nullptr) return fail(Errc::not_found, "this device has not received that message");
  Node out(names::kReceipt, {{"id", message_id}, {"type", names::kRead}, {"t", world_.now_text()}});
  out.set_attr(names::kTo, seen->from.bare());
  if (seen->participant) out.set_attr(names::kParticipant, seen->participant->bare());
  transmit(out);
  return {};
}

void VirtualDevice::on_notification(const Node& notification) {
  if (notification.text_attr(names::kType) != names::kEncrypt ||
      notification.child(names::kIdentity) == nullptr) {
    return;
  }
  const auto from = notification.jid_attr(names::kFrom);
  const Account* account = from ? world_.directory.find(*from) : nullptr;
  if (account == nullptr) return;
  (void)store_.forget_peer(signal::make_name(account->phone, wire::kServerUser));
}

const wa::Message* VirtualDevice::sent(const std::string& id) const {
  const Sent* found = sent_.find(id);
  return found == nullptr ? nullptr : &found->message;
}

void VirtualDevice::lose_sessions() {
  for (const auto& account : world_.directory.all()) {
    (void)store_.forget_peer(signal::make_name(account->phone, wire::kServerUser));
  }
}

// Sending
// -------------------------------------------------------------------------------------------

std::optional<Node> VirtualDevice::encrypt(Device& to, const wa::Message& message) {
  const auto address = address_of(to);
  const auto has = protocol_.has_session(address);
  if (!has || !*has) {
    const auto bundle = world_.queries.take_bundle(to);
    if (!bundle) return std::nullopt;
    if (const auto built = protocol_.process_bundle(address, *bundle); !built) {
      world_.violation(to, "its prekey bundle is refused: " + built.error().detail);
      return std::nullopt;
    }
  }
  const std::string serialized = message.SerializeAsString();
  const auto sealed = protocol_.encrypt(address, signal::pad(as_bytes(serialized), world_.random));
  if (!sealed) return std::nullopt;
  return Node(names::kEnc, {{"v", "2"}, {"type", to_string(sealed->type)}}, sealed->bytes);
}

void VirtualDevice::on_retry(const Node& receipt) {
  const Node* retry = receipt.child(names::kRetry);
  const auto from = receipt.jid_attr(names::kFrom);
  const auto member = receipt.jid_attr(names::kParticipant);
  Device* asker = from ? world_.directory.find_device(member.value_or(*from)) : nullptr;
  if (retry == nullptr || asker == nullptr) return;
  const std::string id = retry->text_attr("id");
  const Sent* sent = sent_.find(id);
  if (sent == nullptr || retry->int_attr(names::kCount).value_or(1) > kMaxRetries) return;
  if (receipt.child(names::kKeys) != nullptr || retry->int_attr(names::kCount).value_or(1) >= 2) {
    (void)protocol_.delete_session(address_of(*asker));  // the next encrypt fetches a bundle
  }
  if (member) return on_group_retry(receipt, *asker, *sent);
  const bool own = &asker->account == &device_.account;
  Account* chat = world_.directory.find(sent->to_phone);
  wa::Message content = sent->message;
  if (own && chat != nullptr && chat != &device_.account) {
    wa::Message copy;
    copy.mutable_devicesentmessage()->set_destinationjid(to_string(chat->lid()));
    *copy.mutable_devicesentmessage()->mutable_message() = content;
    content = copy;
  }
  auto enc = encrypt(*asker, content);
  if (!enc) return;
  if (sent->tamper) std::get<Bytes>(enc->content).back() ^= std::byte{1};
  enc->set_attr(names::kCount, retry->text_attr(names::kCount));
  Node stanza(names::kMessage, {{"to", *from},
                                {"id", id},
                                {"type", "text"},
                                {"t", retry->text_attr(names::kT)},
                                {"device_fanout", "false"}});
  if (!sent->edit.empty()) stanza.set_attr(names::kEdit, sent->edit);
  if (own && chat != nullptr) stanza.set_attr(names::kRecipient, chat->lid());
  std::vector<Node> children;
  const bool prekey = enc->text_attr(names::kType) == names::kPkmsg;
  children.push_back(std::move(*enc));
  transmit(std::move(stanza), std::move(children), prekey);
}

}  // namespace posthorn::simulator
