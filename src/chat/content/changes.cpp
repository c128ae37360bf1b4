#include "chat/content/kinds.h"
#include "chat/content/parse.h"

// protocolMessage, as far as it changes a message that was sent before: edits and deletions.
namespace posthorn::chat {
namespace {

using Protocol = wa::Message::ProtocolMessage;

/// The change of that type with a target; nullptr: the message is something else. An unknown type
/// reads as REVOKE, the enum's zero: without the presence test a future type would delete messages.
const Protocol* change(const wa::Message& message, Protocol::Type type) {
  if (!message.has_protocolmessage()) return nullptr;
  const Protocol& protocol = message.protocolmessage();
  const bool is = protocol.has_type() && protocol.type() == type && !protocol.key().id().empty();
  return is ? &protocol : nullptr;
}

}  // namespace

bool read(const wa::Message& message, content::Edit& kind, Beside& beside) {
  const Protocol* protocol = change(message, Protocol::MESSAGE_EDIT);
  if (protocol == nullptr) return false;
  kind.target_id = protocol->key().id();
  beside.target_from_me = protocol->key().fromme();
  const auto opened = open_wrappers(protocol->editedmessage());
  if (opened) kind.text = text_of(*opened->message);
  return true;
}

Result<wa::Message> write(const content::Edit&, const Outgoing&) {
  return fail(Errc::unsupported, "edits are not sent by this release");
}

bool read(const wa::Message& message, content::Deletion& kind, Beside& beside) {
  const Protocol* protocol = change(message, Protocol::REVOKE);
  if (protocol == nullptr) return false;
  kind.target_id = protocol->key().id();
  beside.target_from_me = protocol->key().fromme();
  return true;
}

Result<wa::Message> write(const content::Deletion&, const Outgoing&) {
  return fail(Errc::unsupported, "deletions are not sent by this release");
}

}  // namespace posthorn::chat
