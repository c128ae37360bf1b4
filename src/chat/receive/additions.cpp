#include "chat/receive/additions.h"

#include <utility>

#include "chat/content/parse.h"
#include "chat/content/polls.h"
#include "chat/content/secret.h"
#include "chat/people/names.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using Found = std::optional<wa::Message>;

constexpr std::size_t kSecretBytes = 32;

bool parse(const Bytes& bytes, google::protobuf::MessageLite& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

/// The secret that came with a message, ours or theirs.
Result<Bytes> Additions::secret_of(const Jid& chat, const std::string& id) {
  TRY(const auto received, context_.messages.received(to_string(chat), id));
  TRY(const auto sent, received ? Result<std::optional<store::MessageStore::Sent>>(std::nullopt)
                                : context_.messages.sent(id));
  wa::Message parent;
  const Bytes none;
  if (!parse(received ? received->message : sent ? sent->message : none, parent)) return Bytes();
  return to_bytes(as_bytes(parent.messagecontextinfo().messagesecret()));
}

/// Who wrote the message that a key names, as far as the key and the chat say it.
Jid Additions::author_of(const Envelope& envelope, const wa::MessageKey& key) const {
  if (key.fromme()) return envelope.sender.bare();
  if (const auto named = wire::parse_jid(key.participant()); named && named->is_person()) {
    return named->bare();
  }
  return envelope.from_me ? envelope.chat : context_.line.identity().pn.bare();
}

/// Which of the names of author and adder was used is not said: tried one after the other.
Result<std::optional<Bytes>> Additions::open(const Envelope& envelope, const Jid& author,
                                             const std::string& id, ByteView secret,
                                             const Sealed& sealed) {
  if (secret.size() != kSecretBytes) return std::optional<Bytes>();
  const Jid adder = envelope.sender.bare();
  TRY(const Jid author_named, context_.names.preferred(author));
  TRY(const Jid adder_named, context_.names.preferred(adder));
  TRY(const auto author_also, context_.names.other(author_named));
  TRY(const auto adder_also, context_.names.other(adder_named));
  const Jid author_other = author_also.value_or(author_named);
  const Jid adder_other = adder_also.value_or(adder_named);
  const std::pair<Jid, Jid> tries[] = {{author_named, adder_named},
                                       {author_other, adder_other},
                                       {author, adder},
                                       {author_named, adder_other},
                                       {author_other, adder_named}};
  for (const auto& [parent, modifier] : tries) {
    auto plain = open_secret({id, to_string(parent), to_string(modifier), secret}, sealed.use_case,
                             as_bytes(sealed.iv), as_bytes(sealed.payload));
    if (plain) return std::optional(std::move(*plain));
  }
  return std::optional<Bytes>();
}

Result<Found> Additions::edit(const Envelope& envelope,
                              const wa::Message::SecretEncryptedMessage& secret) {
  using Secret = wa::Message::SecretEncryptedMessage;
  if (secret.secretenctype() != Secret::MESSAGE_EDIT) return Found();
  TRY(const Jid chat, context_.names.preferred(envelope.chat));
  const std::string& id = secret.targetmessagekey().id();
  TRY(const Bytes key, secret_of(chat, id));
  // Author and editor are the same person.
  TRY(const auto plain, open(envelope, envelope.sender.bare(), id, key,
                             {kMessageEdit, secret.enciv(), secret.encpayload()}));
  wa::Message message;
  if (!plain || !parse(*plain, message)) return Found();
  const auto opened = open_wrappers(message);
  return opened ? Found(*opened->message) : Found();
}

Result<Found> Additions::reaction(const Envelope& envelope,
                                  const wa::Message::EncReactionMessage& secret) {
  TRY(const Jid chat, context_.names.preferred(envelope.chat));
  const wa::MessageKey& target = secret.targetmessagekey();
  TRY(const Bytes key, secret_of(chat, target.id()));
  TRY(const auto plain, open(envelope, author_of(envelope, target), target.id(), key,
                             {kReaction, secret.enciv(), secret.encpayload()}));
  wa::Message message;
  if (!plain || !parse(*plain, *message.mutable_reactionmessage())) return Found();
  *message.mutable_reactionmessage()->mutable_key() = target;
  return Found(std::move(message));
}

Result<std::optional<Additions::Voted>> Additions::vote(
    const Envelope& envelope, const wa::Message::PollUpdateMessage& update) {
  TRY(const Jid chat, context_.names.preferred(envelope.chat));
  const wa::MessageKey& key = update.pollcreationmessagekey();
  TRY(const auto kept, context_.messages.polls().find(to_string(chat), key.id()));
  wa::Message asked;
  if (!kept || !parse(kept->message, asked)) return std::optional<Voted>();
  const auto author = wire::parse_jid(kept->sender);
  TRY(const auto plain, open(envelope, author ? *author : author_of(envelope, key), key.id(),
                             as_bytes(asked.messagecontextinfo().messagesecret()),
                             {kPollVote, update.vote().enciv(), update.vote().encpayload()}));
  wa::Message::PollVoteMessage chosen;
  const Parsed parsed = parse_content(asked);
  const auto* poll = parsed.content ? std::get_if<content::Poll>(&parsed.content->what) : nullptr;
  if (!plain || !parse(*plain, chosen) || poll == nullptr) return std::optional<Voted>();
  TRY(const Jid voter, context_.names.preferred(envelope.sender.bare()));
  Voted voted;
  voted.vote = {to_string(chat), key.id(), to_string(voter),
                update.has_sendertimestampms() ? update.sendertimestampms()
                                               : envelope.timestamp.since_epoch.count()};
  TRY(voted.late, context_.messages.polls().is_late(voted.vote));
  voted.told = {key.id(), *poll, chosen_options(*poll, chosen), ""};
  TRY(voted.told.voter, context_.names.chat_id(voter));
  return std::optional(std::move(voted));
}

}  // namespace posthorn::chat
