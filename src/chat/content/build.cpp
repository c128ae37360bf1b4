#include "chat/content/build.h"

#include "chat/content/kinds.h"

namespace posthorn::chat {

Result<wa::Message> build_message(const Content& content, const Outgoing& outgoing) {
  return std::visit([&](const auto& kind) { return write(kind, outgoing); }, content.what);
}

wa::Message build_device_sent(const wa::Message& message, const wire::Jid& chat) {
  wa::Message copy;
  auto& sent = *copy.mutable_devicesentmessage();
  sent.set_destinationjid(to_string(chat.bare()));
  *sent.mutable_message() = message;
  if (message.has_messagecontextinfo()) {
    *copy.mutable_messagecontextinfo() = message.messagecontextinfo();
  }
  return copy;
}

}  // namespace posthorn::chat
