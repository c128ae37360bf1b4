#include "chat/content/kinds.h"

// What is said about the chat itself: pins, the timer of disappearing messages, and the head of an
// album, whose pictures come as messages of their own (chapter 07 sections 5.2, 5.4).
namespace posthorn::chat {
namespace {

using Protocol = wa::Message::ProtocolMessage;

constexpr int kPinned = 1;

}  // namespace

bool read(const wa::Message& message, content::Pin& kind, Beside& beside) {
  if (!message.has_pininchatmessage()) return false;
  const auto& pin = message.pininchatmessage();
  kind.pinned = pin.type() == kPinned;
  Quote& target = beside.quote.emplace();
  target.id = pin.key().id();
  target.participant = pin.key().participant();
  beside.target_from_me = pin.key().fromme();
  return true;
}

Result<wa::Message> write(const content::Pin&, const Outgoing&) {
  return fail(Errc::unsupported, "pins are not sent by this release");
}

bool read(const wa::Message& message, content::Timer& kind, Beside&) {
  if (!message.has_protocolmessage()) return false;
  const Protocol& protocol = message.protocolmessage();
  if (!protocol.has_type() || protocol.type() != Protocol::EPHEMERAL_SETTING) return false;
  kind.seconds = protocol.ephemeralexpiration();
  kind.set_at = protocol.ephemeralsettingtimestamp();
  return true;
}

Result<wa::Message> write(const content::Timer& kind, const Outgoing& outgoing) {
  wa::Message message;
  Protocol& protocol = *message.mutable_protocolmessage();
  protocol.set_type(Protocol::EPHEMERAL_SETTING);
  protocol.set_ephemeralexpiration(kind.seconds);
  protocol.set_ephemeralsettingtimestamp(outgoing.now.unix_seconds());
  return message;
}

bool read(const wa::Message& message, content::Album& kind, Beside&) {
  if (!message.has_albummessage()) return false;
  kind.images = message.albummessage().expectedimagecount();
  kind.videos = message.albummessage().expectedvideocount();
  return true;
}

Result<wa::Message> write(const content::Album&, const Outgoing&) {
  return fail(Errc::unsupported, "albums only come in; pictures are sent one by one");
}

}  // namespace posthorn::chat
