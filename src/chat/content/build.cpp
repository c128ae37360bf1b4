#include "chat/content/build.h"

#include "chat/content/context.h"
#include "chat/content/kinds.h"
#include "chat/content/parse.h"

namespace posthorn::chat {

const std::optional<TargetMessage> Outgoing::kNoTarget;
const std::vector<std::string> Outgoing::kNobody;

namespace {

/// What is about another message or about the chat has nothing beside it, and nothing will ever be
/// about it.
bool stands_alone(const Content::What& what) {
  return !(std::holds_alternative<content::Edit>(what) ||
           std::holds_alternative<content::Deletion>(what) ||
           std::holds_alternative<content::Reaction>(what) ||
           std::holds_alternative<content::Timer>(what));
}

/// A message that is passed on: as it was, without what stood beside it.
Result<wa::Message> passed_on(const Bytes& original) {
  wa::Message message;
  if (!message.ParseFromArray(original.data(), static_cast<int>(original.size()))) {
    return fail(Errc::unsupported, "the message to pass on is damaged");
  }
  const auto opened = open_wrappers(message);
  if (!opened) return fail(Errc::unsupported, "the message to pass on is wrapped too deeply");
  wa::Message inner = *opened->message;
  drop_context(inner);
  if (!inner.has_documentmessage() || inner.documentmessage().caption().empty()) return inner;
  wa::Message wrapped;
  *wrapped.mutable_documentwithcaptionmessage()->mutable_message() = std::move(inner);
  return wrapped;
}

}  // namespace

Result<wa::Message> build_message(const Content& content, const Outgoing& outgoing) {
  TRY(wa::Message message,
      content.original.empty()
          ? std::visit([&](const auto& kind) { return write(kind, outgoing); }, content.what)
          : passed_on(content.original));
  if (!stands_alone(content.what)) return message;
  write_context(content, outgoing, message);
  message.mutable_messagecontextinfo()->set_messagesecret(std::string(as_text(outgoing.secret32)));
  return message;
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
