// What virtual devices say to one account: texts and what changes them, votes, files.
#include <algorithm>

#include "posthorn/base/job.h"
#include "posthorn/wire/names.h"
#include "simulator/peer_content.h"
#include "simulator/peer_files.h"
#include "simulator/stanzas.h"
#include "simulator/virtual_device.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

/// On each <enc>, by the kind of a file (chapter 06 section 3.3).
std::string media_type_of_kind(const std::string& kind) {
  if (kind == "voice") return "ptt";
  return kind == "video_note" ? "ptv" : kind;
}

}  // namespace

/// A poll that this device's account has received or sent, and the vote in it.
Result<wa::Message> VirtualDevice::build_vote(const Account& to, const PeerText& text) const {
  const auto inbox = world_.peers.inbox(device_.account, 0);
  const auto found = std::find_if(inbox.begin(), inbox.end(), [&](const Received& one) {
    return one.id == text.vote_in && one.kind == "poll";
  });
  const Sent* own = sent_.find(text.vote_in);
  wa::Message poll;
  if (found != inbox.end()) {
    if (!poll.ParseFromString(to_string(found->protobuf))) return fail(Errc::malformed, "poll");
    poll = content_of(poll);
  } else if (own != nullptr) {
    poll = own->message;
  } else {
    return fail(Errc::not_found, "this account has not seen that poll");
  }
  const bool by_us = found == inbox.end() || found->from_me;
  const std::string voter = to_string(device_.account.lid());
  TRY(wa::Message message, seal_vote(world_.random, poll, text.vote_in,
                                     by_us ? voter : to_string(to.lid()), voter, text.options));
  auto& key = *message.mutable_pollupdatemessage()->mutable_pollcreationmessagekey();
  key.set_remotejid(to_string(to.lid()));
  key.set_fromme(by_us);
  message.mutable_pollupdatemessage()->set_sendertimestampms(world_.now().since_epoch.count());
  return message;
}

Result<wa::Message> VirtualDevice::build(const Account& to, const PeerText& text) const {
  wa::Message message;
  if (!text.vote_in.empty()) return build_vote(to, text);
  if (!text.content.empty()) {
    if (!message.ParseFromString(to_string(text.content))) {
      return fail(Errc::malformed, "content: no Message");
    }
    message.mutable_messagecontextinfo()->set_messagesecret(to_string(world_.random.bytes(32)));
    return message;
  }
  const std::string chat = to_string(to.lid());
  if (!text.edit_of.empty() || !text.revoke_of.empty()) {
    auto& protocol = *message.mutable_protocolmessage();
    const bool edit = !text.edit_of.empty();
    protocol.mutable_key()->set_remotejid(chat);
    protocol.mutable_key()->set_fromme(true);
    protocol.mutable_key()->set_id(edit ? text.edit_of : text.revoke_of);
    protocol.set_type(edit ? wa::Message::ProtocolMessage::MESSAGE_EDIT
                           : wa::Message::ProtocolMessage::REVOKE);
    if (edit) {
      protocol.mutable_editedmessage()->set_conversation(text.text);
      protocol.set_timestampms(world_.now().since_epoch.count());
    }
    return message;
  }
  if (!text.reaction_to.empty()) {
    auto& reaction = *message.mutable_reactionmessage();
    reaction.mutable_key()->set_remotejid(chat);
    reaction.mutable_key()->set_fromme(false);
    reaction.mutable_key()->set_id(text.reaction_to);
    reaction.set_text(text.text);
    return message;
  }
  if (!text.quoted_id.empty()) {
    auto& extended = *message.mutable_extendedtextmessage();
    extended.set_text(text.text);
    auto& context = *extended.mutable_contextinfo();
    context.set_stanzaid(text.quoted_id);
    context.set_participant(chat);
    context.mutable_quotedmessage()->set_conversation(text.quoted_text);
  } else if (text.extended) {
    message.mutable_extendedtextmessage()->set_text(text.text);
  } else {
    message.set_conversation(text.text);
  }
  message.mutable_messagecontextinfo()->set_messagesecret(to_string(world_.random.bytes(32)));
  return message;
}

Result<std::string> VirtualDevice::send(Account& to, const PeerText& text) {
  const std::string id = id_or_new(text.id);
  TRY(const wa::Message message, build(to, text));
  const StanzaLook look = look_of(message);
  const bool reacts = !text.reaction_to.empty();
  const bool takes_back = !text.revoke_of.empty() || (reacts && text.text.empty());
  Style style;
  style.type = look.type;
  style.mediatype = look.mediatype;
  style.polltype = look.polltype;
  style.edit = !text.edit_of.empty() ? "1" : takes_back ? "7" : "";
  style.hide = !style.edit.empty() || reacts || look.polltype == "vote";
  style.tamper = text.tamper || text.tamper_all;
  style.tamper_all = text.tamper_all;
  style.unavailable = text.unavailable;
  return send(to, id, message, style);
}

Result<std::string> VirtualDevice::send(Account& to, const PeerFile& file) {
  TRY(const wa::Message message,
      build_peer_file(file, world_.media, world_.random, world_.now().unix_seconds()));
  Style style;
  style.type = "media";
  style.mediatype = media_type_of_kind(file.kind);
  return send(to, id_or_new(file.id), message, style);
}

std::string VirtualDevice::id_or_new(const std::string& id) {
  return id.empty() ? make_message_id(world_.random, world_.now(), device_.account.phone) : id;
}

/// To all devices of `to` and to our own others.
Result<std::string> VirtualDevice::send(Account& to, const std::string& id,
                                        const wa::Message& message, const Style& style) {
  wa::Message own_copy;
  own_copy.mutable_devicesentmessage()->set_destinationjid(to_string(to.lid()));
  *own_copy.mutable_devicesentmessage()->mutable_message() = message;

  std::vector<Node> recipients;
  bool prekey = false;
  const auto add = [&](Account& account, const wa::Message& content) {
    for (const auto& [number, device] : account.devices) {
      if (device.get() == &device_) continue;
      if (number != 0 && !style.unavailable.empty()) {
        Node nothing(names::kUnavailable);
        if (style.unavailable != "none") nothing.set_attr(names::kType, style.unavailable);
        recipients.emplace_back(names::kTo, std::vector<wire::Attr>{{"jid", device->lid()}},
                                std::vector{std::move(nothing)});
        continue;
      }
      auto enc = encrypt(*device, content);
      if (!enc) continue;
      if (style.tamper) std::get<Bytes>(enc->content).back() ^= std::byte{1};
      if (style.hide) enc->set_attr("decrypt-fail", "hide");
      if (!style.mediatype.empty()) enc->set_attr("mediatype", style.mediatype);
      prekey = prekey || enc->text_attr(names::kType) == names::kPkmsg;
      recipients.emplace_back(names::kTo, std::vector<wire::Attr>{{"jid", device->lid()}},
                              std::vector{std::move(*enc)});
    }
  };
  add(to, &to == &device_.account ? own_copy : message);
  if (&to != &device_.account) add(device_.account, own_copy);
  if (recipients.empty()) return fail(Errc::refused, "no device of the recipient has keys");
  sent_.put(id, {message, to.phone, style.edit, style.tamper_all});

  Node stanza(names::kMessage, {{"to", to.lid()}, {"id", id}, {"type", style.type}});
  if (!style.edit.empty()) stanza.set_attr(names::kEdit, style.edit);
  std::vector<Node> children{Node(names::kParticipants, {}, std::move(recipients))};
  if (!style.polltype.empty()) {
    children.emplace_back("meta", std::vector<wire::Attr>{{"polltype", style.polltype}});
  }
  transmit(std::move(stanza), std::move(children), prekey);
  return id;
}

void VirtualDevice::send_peer(Device& to, const wa::Message& message) {
  auto enc = encrypt(to, message);
  if (!enc) return;
  const std::string id = make_message_id(world_.random, world_.now(), device_.account.phone);
  sent_.put(id, {message, device_.account.phone, {}, false});
  Node stanza(names::kMessage,
              {{"to", to.lid()}, {"id", id}, {"type", "text"}, {"category", names::kPeer}});
  stanza.content = std::vector{std::move(*enc)};
  transmit(stanza);
}

}  // namespace posthorn::simulator
