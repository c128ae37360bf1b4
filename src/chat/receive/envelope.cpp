#include "chat/receive/envelope.h"

#include <array>

#include "chat/people/ids.h"
#include "posthorn/base/utf8.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr std::string_view kPlaceholderName = "-";
// What strangers write is kept: ids by the thousand, a name for each person.
constexpr std::size_t kMaxId = 128;
constexpr std::size_t kMaxPushName = 128;

EncPart::Kind part_kind(std::string_view type) {
  if (type == "pkmsg") return EncPart::Kind::pkmsg;
  if (type == "msg") return EncPart::Kind::msg;
  if (type == "skmsg") return EncPart::Kind::skmsg;
  return EncPart::Kind::other;
}

EncPart parse_part(const Node& enc) {
  EncPart part;
  part.type = enc.text_attr("type");
  part.kind = part_kind(part.type);
  part.ciphertext = enc.bytes();
  part.hide_failure = enc.text_attr("decrypt-fail") == "hide";
  if (const auto count = enc.int_attr("count"); count && *count > 0 && *count < 100) {
    part.count = static_cast<std::uint32_t>(*count);
  }
  return part;
}

/// The first of these attributes that is a person of the other server than `named`.
std::optional<Jid> other_name(const Node& stanza, const Jid& named,
                              std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const auto jid = stanza.jid_attr(key);
    if (jid && jid->is_person() && jid->server != named.server) return jid->bare();
  }
  return std::nullopt;
}

void parse_children(const Node& stanza, Envelope& envelope) {
  for (const Node& child : stanza.children()) {
    if (child.tag == "enc") envelope.parts.push_back(parse_part(child));
    if (child.tag == "unavailable") {
      envelope.unavailable = true;
      envelope.unavailable_type = child.text_attr("type");
      if (child.text_attr("hosted") == "true") envelope.unavailable_type = "hosted";
    }
  }
  if (envelope.unavailable_type.empty() && stanza.child("bot") != nullptr) {
    envelope.unavailable_type = "bot_unavailable_fanout";
  }
  if (!envelope.parts.empty()) envelope.unavailable = false;
}

void find_names(const Node& stanza, Envelope& envelope) {
  envelope.sender_alt = other_name(
      stanza, envelope.sender, {"sender_pn", "sender_lid", "participant_pn", "participant_lid"});
  if (!envelope.from_me || !envelope.chat.is_person()) return;
  envelope.chat_alt =
      other_name(stanza, envelope.chat,
                 {"peer_recipient_pn", "peer_recipient_lid", "recipient_pn", "recipient_lid"});
}

Result<void> find_parties(const session::Identity& self, Envelope& envelope) {
  if (envelope.from.is_group() || envelope.from.server == wire::kServerBroadcast) {
    if (!envelope.participant) return fail(Errc::malformed, "group message without participant");
    envelope.chat = envelope.from.bare();
    envelope.sender = from_hosted(*envelope.participant);
    envelope.from_me = is_own_user(self, envelope.sender);
    // Who writes to a broadcast list writes to each member alone; so the answer goes to him.
    const bool list = envelope.from.server == wire::kServerBroadcast && !envelope.is_status();
    if (list && !envelope.from_me) envelope.chat = envelope.sender.bare();
    return {};
  }
  envelope.sender = from_hosted(envelope.from);
  envelope.from_me = is_own_user(self, envelope.sender);
  const bool names_chat = envelope.from_me && envelope.recipient;
  envelope.chat = names_chat ? from_hosted(envelope.recipient->bare()) : envelope.sender.bare();
  return {};
}

}  // namespace

Result<Envelope> parse_envelope(const Node& stanza, const session::Identity& self, Wall now) {
  Envelope envelope;
  envelope.id = stanza.text_attr("id");
  const auto from = stanza.jid_attr("from");
  if (envelope.id.empty() || !from) return fail(Errc::malformed, "message without id or from");
  if (envelope.id.size() > kMaxId) return fail(Errc::malformed, "message with an endless id");
  envelope.from = *from;
  envelope.type = stanza.text_attr("type");
  envelope.category = stanza.text_attr("category");
  envelope.edit = stanza.text_attr("edit");
  envelope.participant = stanza.jid_attr("participant");
  envelope.recipient = stanza.jid_attr("recipient");
  TRY(find_parties(self, envelope));
  find_names(stanza, envelope);
  envelope.offline = stanza.has_attr("offline");
  const auto t = stanza.int_attr("t");
  envelope.timestamp = t && *t > 0 ? Wall::from_unix(*t) : now;
  envelope.push_name = stanza.text_attr("notify");
  if (envelope.push_name == kPlaceholderName) envelope.push_name.clear();
  envelope.push_name = cut_utf8(std::move(envelope.push_name), kMaxPushName);
  parse_children(stanza, envelope);
  return envelope;
}

}  // namespace posthorn::chat
