#include "chat/send/open_send.h"

#include <utility>

#include "chat/content/build.h"
#include "chat/people/ids.h"
#include "chat/send/quotes.h"

namespace posthorn::chat {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr minutes kEditable{20};

/// What waited in the queue for longer than WhatsApp lets it be changed is not sent any more: the
/// customer's phone would drop it without a word. Errors: unsupported.
Result<void> check_age(const MessageContext& context, const Content& content,
                       const std::string& id) {
  if (!std::holds_alternative<content::Edit>(content.what)) return {};
  TRY(const auto sent, context.messages.sent_outline(id));
  const Wall now = context.clock.now();
  if (!sent || !now.trusted || now - sent->at <= kEditable) return {};
  return fail(Errc::unsupported,
              "the message was sent more than 20 minutes before its edit could "
              "be: WhatsApp does not take edits so late");
}

/// A poll of ours: its votes come for longer than what was sent is kept. A timer of ours is the
/// chat's from now on.
Result<void> remember_for_later(const MessageContext& context, const Job& job,
                                const wire::Jid& peer, const wa::Message& message) {
  const std::string chat = to_string(peer);
  if (const auto* timer = std::get_if<content::Timer>(&job.content.what)) {
    return context.messages.timers().save(chat,
                                          {timer->seconds, context.clock.now().unix_seconds()});
  }
  if (!std::holds_alternative<content::Poll>(job.content.what)) return {};
  TRY(const auto known, context.messages.polls().find(chat, job.id));
  if (known) return {};
  const wire::Jid own = own_name_beside(peer, context.line.identity());
  return context.messages.polls().save(
      {job.id, chat, to_string(own), to_bytes(message.SerializeAsString())}, context.clock.now());
}

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

Result<wa::Message> message_of(const MessageContext& context, const Job& job, const wire::Jid& peer,
                               const wire::Jid& to) {
  std::optional<QuotedMessage> quote;
  std::optional<TargetMessage> target;
  if (const std::string id = target_id_of(job.content); !id.empty()) {
    TRY(target, find_target(context, peer, to, id));
    TRY(check_age(context, job.content, id));
  }
  if (job.content.quote) {
    TRY(quote, find_quoted(context, peer, job.content.quote->id));
  }
  std::vector<std::string> mentions;  // under the names by which the text calls them
  for (const std::string& chat : job.content.mentions) {
    TRY(const wire::Jid person, parse_chat_id(chat));
    mentions.push_back(to_string(person));
  }
  TRY(const auto timer, context.messages.timers().find(to_string(peer)));
  const Bytes secret = context.random.bytes(kSecretBytes);
  return build_message(job.content, {.secret32 = secret,
                                     .quoted = quote,
                                     .target = target,
                                     .mentions = mentions,
                                     .timer = {timer.seconds, timer.set_at},
                                     .now = context.clock.now()});
}

Result<void> save_sent(const MessageContext& context, const Job& job, const wire::Jid& peer,
                       const wa::Message& message) {
  store::MessageStore::Sent sent;
  sent.id = job.id;
  sent.chat = to_string(peer);
  sent.posted = job.chat;
  sent.message = to_bytes(message.SerializeAsString());
  sent.at = context.clock.now();
  TRY(remember_for_later(context, job, peer, message));
  return context.messages.save_sent(sent);
}

}  // namespace posthorn::chat
