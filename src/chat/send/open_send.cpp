#include "chat/send/open_send.h"

#include <utility>

#include "chat/content/build.h"
#include "chat/send/quotes.h"

namespace posthorn::chat {
namespace {

constexpr std::size_t kSecretBytes = 32;

}  // namespace

Result<EarlierSend> find_earlier(const MessageContext& context, const std::string& id) {
  EarlierSend earlier;
  TRY(const auto sent, context.messages.sent(id));
  if (!sent) return earlier;
  if (sent->status != store::MessageStore::Sent::Status::made) {
    earlier.outcome.emplace().server_time = sent->at;
    return earlier;
  }
  wa::Message message;
  if (message.ParseFromString(to_string(sent->message))) earlier.message = std::move(message);
  return earlier;
}

Result<wa::Message> message_of(const MessageContext& context, const Job& job,
                               const wire::Jid& peer) {
  std::optional<QuotedMessage> quote;
  if (job.content.quote) {
    TRY(quote, find_quoted(context, peer, job.content.quote->id));
  }
  const Bytes secret = context.random.bytes(kSecretBytes);
  return build_message(job.content, {secret, quote});
}

Result<void> save_sent(const MessageContext& context, const Job& job, const wire::Jid& peer,
                       const wa::Message& message) {
  store::MessageStore::Sent sent;
  sent.id = job.id;
  sent.chat = to_string(peer);
  sent.posted = job.chat;
  sent.message = to_bytes(message.SerializeAsString());
  sent.at = context.clock.now();
  return context.messages.save_sent(sent);
}

}  // namespace posthorn::chat
