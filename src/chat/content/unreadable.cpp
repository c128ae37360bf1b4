#include "chat/content/kinds.h"
#include "chat/content/parse.h"

// What we cannot show: messages that nobody could decrypt, and kinds that we do not know yet.
namespace posthorn::chat {

/// Never read: who gives a message up makes it.
bool read(const wa::Message&, content::Undecryptable&, Beside&) { return false; }

Result<wa::Message> write(const content::Undecryptable&, const Outgoing&) {
  return fail(Errc::unsupported, "a message that was never read cannot be sent");
}

bool read(const wa::Message& message, content::Other& kind, Beside&) {
  if (message.has_protocolmessage()) return false;
  // Not said to anybody: stars and keeps, and what a phone notes about calls.
  if (message.has_keepinchatmessage() || message.has_calllogmesssage() || message.has_call()) {
    return false;
  }
  kind.type_name = content_field(message);
  if (kind.type_name.empty()) {
    // A type newer than our schema arrives as unknown fields; keys and context alone mean nothing.
    if (message.unknown_fields().empty()) return false;
    kind.type_name = "unknown";
  }
  kind.text = text_of(message);
  return true;
}

Result<wa::Message> write(const content::Other& kind, const Outgoing&) {
  return fail(Errc::unsupported, kind.type_name + " is not sent by this release");
}

}  // namespace posthorn::chat
