#include "chat/content/key.h"
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

/// The new content in place of the target's.
wa::Message edited(const std::string& text, const TargetMessage& target) {
  wa::Message original;
  const bool known = !target.message.empty() && original.ParseFromString(target.message);
  const auto opened = known ? open_wrappers(original) : fail(Errc::not_found, "");
  wa::Message changed;
  if (opened && opened->message->has_imagemessage()) {
    *changed.mutable_imagemessage() = opened->message->imagemessage();
    changed.mutable_imagemessage()->set_caption(text);
  } else if (opened && opened->message->has_videomessage()) {
    *changed.mutable_videomessage() = opened->message->videomessage();
    changed.mutable_videomessage()->set_caption(text);
  } else if (opened && opened->message->has_documentmessage()) {
    wa::Message& inner = *changed.mutable_documentwithcaptionmessage()->mutable_message();
    *inner.mutable_documentmessage() = opened->message->documentmessage();
    inner.mutable_documentmessage()->set_caption(text);
  } else {
    changed.set_conversation(text);
  }
  return changed;
}

}  // namespace

bool read(const wa::Message& message, content::Edit& kind, Beside& beside) {
  const Protocol* protocol = change(message, Protocol::MESSAGE_EDIT);
  if (protocol == nullptr) return false;
  kind.target_id = protocol->key().id();
  beside.target_from_me = protocol->key().fromme();
  const auto opened = open_wrappers(protocol->editedmessage());
  if (!opened) return true;
  kind.text = text_of(*opened->message);
  const wa::Message& now = *opened->message;
  kind.caption = now.has_imagemessage() || now.has_videomessage() || now.has_documentmessage();
  return true;
}

/// A text becomes another text; a file stays and has another caption.
Result<wa::Message> write(const content::Edit& kind, const Outgoing& outgoing) {
  wa::Message message;
  Protocol& protocol = *message.mutable_protocolmessage();
  protocol.set_type(Protocol::MESSAGE_EDIT);
  TRY(*protocol.mutable_key(), key_of(kind.target_id, outgoing));
  if (!protocol.key().fromme()) return fail(Errc::unsupported, "only own messages can be edited");
  *protocol.mutable_editedmessage() = edited(kind.text, *outgoing.target);
  protocol.set_timestampms(outgoing.now.since_epoch.count());
  return message;
}

bool read(const wa::Message& message, content::Deletion& kind, Beside& beside) {
  const Protocol* protocol = change(message, Protocol::REVOKE);
  if (protocol == nullptr) return false;
  kind.target_id = protocol->key().id();
  beside.target_from_me = protocol->key().fromme();
  return true;
}

Result<wa::Message> write(const content::Deletion& kind, const Outgoing& outgoing) {
  wa::Message message;
  Protocol& protocol = *message.mutable_protocolmessage();
  protocol.set_type(Protocol::REVOKE);
  TRY(*protocol.mutable_key(), key_of(kind.target_id, outgoing));
  return message;
}

}  // namespace posthorn::chat
