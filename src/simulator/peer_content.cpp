#include "simulator/peer_content.h"

#include <algorithm>

#include "posthorn/base/crypto.h"

namespace posthorn::simulator {
namespace {

using Poll = wa::Message::PollCreationMessage;

std::string text_at(const json::Value& object, const char* name) {
  return json::text_of(json::at(object, name)).value_or("");
}

double number_at(const json::Value& object, const char* name) {
  return json::double_of(json::at(object, name)).value_or(0);
}

void read_location(const json::Value& place, wa::Message& message) {
  if (json::bool_at(place, "live").value_or(false)) {
    auto& live = *message.mutable_livelocationmessage();
    live.set_degreeslatitude(number_at(place, "latitude"));
    live.set_degreeslongitude(number_at(place, "longitude"));
    live.set_caption(text_at(place, "name"));
    live.set_sequencenumber(json::int_at(place, "sequence").value_or(1));
    return;
  }
  auto& out = *message.mutable_locationmessage();
  out.set_degreeslatitude(number_at(place, "latitude"));
  out.set_degreeslongitude(number_at(place, "longitude"));
  out.set_name(text_at(place, "name"));
  out.set_address(text_at(place, "address"));
}

void read_contacts(const json::Value& cards, wa::Message& message) {
  auto& array = *message.mutable_contactsarraymessage();
  array.set_displayname(std::to_string(cards.size()) + " contacts");
  for (const json::Value& card : cards) {
    auto& one = *array.add_contacts();
    one.set_displayname(text_at(card, "name"));
    one.set_vcard(text_at(card, "vcard"));
  }
  if (cards.size() != 1) return;
  const wa::Message::ContactMessage only = array.contacts(0);
  message.clear_contactsarraymessage();
  *message.mutable_contactmessage() = only;
}

void read_poll(const json::Value& poll, wa::Message& message) {
  const bool multiple = json::bool_at(poll, "multiple").value_or(false);
  Poll& out =
      multiple ? *message.mutable_pollcreationmessage() : *message.mutable_pollcreationmessagev3();
  out.set_name(text_at(poll, "name"));
  for (const json::Value& option : json::at(poll, "options")) {
    out.add_options()->set_optionname(json::text_of(option).value_or(""));
  }
  out.set_selectableoptionscount(multiple ? 0 : 1);
}

const Poll* poll_of(const wa::Message& message) {
  if (message.has_pollcreationmessage()) return &message.pollcreationmessage();
  if (message.has_pollcreationmessagev3()) return &message.pollcreationmessagev3();
  return nullptr;
}

}  // namespace

Result<wa::Message> read_peer_content(const json::Value& value) {
  wa::Message message;
  if (const json::Value& place = json::at(value, "location"); place.isObject()) {
    read_location(place, message);
  } else if (const json::Value& cards = json::at(value, "contacts"); cards.isArray()) {
    read_contacts(cards, message);
  } else if (const json::Value& poll = json::at(value, "poll"); poll.isObject()) {
    read_poll(poll, message);
  } else if (const auto seconds = json::int_at(value, "timer")) {
    auto& protocol = *message.mutable_protocolmessage();
    protocol.set_type(wa::Message::ProtocolMessage::EPHEMERAL_SETTING);
    protocol.set_ephemeralexpiration(static_cast<std::uint32_t>(*seconds));
  } else if (const auto protobuf = json::string_at(value, "protobuf")) {
    const auto bytes = base64_decode(*protobuf);
    if (!bytes || !message.ParseFromString(to_string(*bytes))) {
      return fail(Errc::malformed, "protobuf: must be a Message in base64");
    }
  }
  return message;
}

StanzaLook look_of(const wa::Message& message) {
  StanzaLook look;
  const auto media = [&look](const char* mediatype) {
    look.type = "media";
    look.mediatype = mediatype;
  };
  if (message.has_locationmessage()) media("location");
  if (message.has_livelocationmessage()) media("livelocation");
  if (message.has_contactmessage()) media("vcard");
  if (message.has_contactsarraymessage()) media("contact_array");
  if (message.has_groupinvitemessage()) media("url");
  if (message.has_listresponsemessage()) media("list_response");
  if (message.has_buttonsresponsemessage()) media("buttons_response");
  if (message.has_interactiveresponsemessage()) media("native_flow_response");
  if (message.has_ordermessage()) media("order");
  if (message.has_productmessage()) media("product");
  if (message.has_reactionmessage()) look.type = "reaction";
  if (poll_of(message) != nullptr || message.has_pollupdatemessage()) {
    look.type = "poll";
    look.polltype = message.has_pollupdatemessage() ? "vote" : "creation";
  }
  return look;
}

const wa::Message& content_of(const wa::Message& message) {
  return message.has_devicesentmessage() ? message.devicesentmessage().message() : message;
}

std::string kind_of(const wa::Message& message) {
  if (message.has_locationmessage() || message.has_livelocationmessage()) return "location";
  if (message.has_contactmessage() || message.has_contactsarraymessage()) return "contacts";
  if (poll_of(message) != nullptr) return "poll";
  if (message.has_reactionmessage()) return "reaction";
  return "";
}

Result<wa::Message> seal_vote(Random& random, const wa::Message& poll, const std::string& poll_id,
                              const std::string& author, const std::string& voter,
                              const std::vector<std::string>& options) {
  const Poll* asked = poll_of(poll);
  if (asked == nullptr) return fail(Errc::not_found, "that message is no poll");
  wa::Message::PollVoteMessage vote;
  for (const std::string& option : options) {
    const bool has = std::any_of(asked->options().begin(), asked->options().end(),
                                 [&](const auto& one) { return one.optionname() == option; });
    if (!has) return fail(Errc::not_found, "the poll has no option " + option);
    vote.add_selectedoptions(std::string(as_text(crypto::sha256(as_bytes(option)))));
  }
  // Source: chapter 07 section 6.
  const Bytes info = concat({as_bytes(poll_id), as_bytes(author), as_bytes(voter),
                             as_bytes(std::string_view("Poll Vote"))});
  const Bytes key =
      crypto::hkdf_sha256(as_bytes(poll.messagecontextinfo().messagesecret()), {}, info, 32);
  const Bytes iv = random.bytes(12);
  const Bytes associated =
      concat({as_bytes(poll_id), as_bytes(std::string_view("\0", 1)), as_bytes(voter)});
  wa::Message message;
  auto& update = *message.mutable_pollupdatemessage();
  update.mutable_pollcreationmessagekey()->set_id(poll_id);
  update.mutable_vote()->set_enciv(std::string(as_text(iv)));
  update.mutable_vote()->set_encpayload(std::string(
      as_text(crypto::aes_gcm_encrypt(key, iv, associated, as_bytes(vote.SerializeAsString())))));
  return message;
}

}  // namespace posthorn::simulator
