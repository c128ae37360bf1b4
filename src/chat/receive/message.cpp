#include "chat/receive/message.h"

#include <algorithm>
#include <utility>

#include "chat/content/context.h"
#include "chat/content/secret.h"
#include "chat/people/addressing.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/receive/receipts.h"
#include "posthorn/base/log.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;
using Protocol = wa::Message::ProtocolMessage;

constexpr std::size_t kMaxPlaintext = 1U << 20;
constexpr std::size_t kMaxQuoteText = 1024;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMaxGroupId = 64;
constexpr std::size_t kRefDigits = 64;
constexpr int kNackUnparsable = 487;
constexpr int kNackUnknown = 488;
constexpr int kNackNotProtobuf = 491;
constexpr int kNackNoSecret = 495;

bool is_newsletter(const Node& stanza) {
  const auto from = stanza.jid_attr("from");
  return from && from->server == wire::kServerNewsletter;
}

/// What is kept of a message: what a later quote shows of it (of a file also where it lies), the
/// secret that a later edit of it is encrypted under.
Bytes kept_of(const wa::Message& message, const wa::MessageContextInfo& context, bool view_once) {
  const std::string text = text_of(message);
  wa::Message kept = view_once ? wa::Message() : outline_of_file(message);
  if (!text.empty() && content_field(kept).empty()) {
    kept.set_conversation(cut_utf8(text, kMaxQuoteText));
  }
  if (context.messagesecret().size() == kSecretBytes) {
    kept.mutable_messagecontextinfo()->set_messagesecret(context.messagesecret());
  }
  return to_bytes(kept.SerializeAsString());
}

/// What may be seen once is told, and nothing of it is kept that would show it again.
bool keep_once_only(Content& content, bool around) {
  auto* file = std::get_if<content::File>(&content.what);
  if (file == nullptr || !(around || file->view_once)) return false;
  file->view_once = true;
  file->place.reset();
  file->ref.clear();
  file->thumbnail.clear();
  return true;
}

/// Numbers without user or server in the migration list are WhatsApp's way to say "none".
std::optional<Jid> numbered(std::uint64_t user, std::string_view server) {
  if (user == 0) return std::nullopt;
  return Jid{std::to_string(user), std::string(server), 0};
}

}  // namespace

/// One message on its way through receive().
struct Receiver::Work {
  explicit Work(const Node& s) : stanza(s) {}

  const Node& stanza;
  Envelope envelope;
  Reception out;
  wa::MessageContextInfo context_info;  ///< of the message, or of the copy around it
  bool any_read = false;                ///< at least one part was decrypted
  bool used_number = false;             ///< at least one part has a number that was used before
  bool failed_content = false;          ///< at least one part was not, and is asked for again
  bool ignored = false;                 ///< a part that we do not read (groups)
  int nack = 0;
};

Result<std::uint64_t> seen_key_of(Names& names, const Envelope& envelope) {
  TRY(const Jid chat, names.preferred(envelope.chat));
  TRY(const Jid sender, names.preferred(envelope.sender.bare()));
  return store::MessageStore::seen_key(to_string(chat), envelope.id, to_string(sender));
}

Result<Reception> Receiver::receive(const Node& stanza, bool batch_open) {
  const session::Identity& self = context_.line.identity();
  auto envelope = parse_envelope(stanza, self, context_.clock.now());
  Work work{stanza};
  const bool ack_only = is_newsletter(stanza) || stanza.text_attr("type") == "medianotify";
  if (ack_only || !envelope) {
    work.out.replies.push_back(build_ack(stanza, self, ack_only ? 0 : kNackUnparsable));
    return std::move(work.out);
  }
  work.envelope = std::move(*envelope);
  TRY(const bool news, has_news(work.envelope));
  // Moving sessions to a LID goes past the staged ones, so these must be in the store first.
  if (news && batch_open) {
    work.out.after_commit = true;
    return std::move(work.out);
  }
  if (news) {
    TRY(learn_names(work.envelope));
  }
  TRY(const std::uint64_t key, seen_key_of(context_.names, work.envelope));
  if (context_.messages.was_seen(key)) {
    work.out.replies.push_back(build_delivery_receipt(work.envelope, self));
    return std::move(work.out);
  }
  work.out.seen_key = key;
  TRY(read_parts(work));
  finish(work);
  return std::move(work.out);
}

Result<bool> Receiver::has_news(const Envelope& envelope) {
  if (envelope.sender_alt) {
    TRY(const bool news, context_.names.is_news(envelope.sender, *envelope.sender_alt));
    if (news) return true;
  }
  if (envelope.chat_alt) {
    TRY(const bool news, context_.names.is_news(envelope.chat, *envelope.chat_alt));
    if (news) return true;
  }
  return false;
}

Result<void> Receiver::learn_names(const Envelope& envelope) {
  if (envelope.sender_alt) {
    TRY(context_.names.learn(envelope.sender, *envelope.sender_alt));
  }
  if (envelope.chat_alt) {
    TRY(context_.names.learn(envelope.chat, *envelope.chat_alt));
  }
  return {};
}

Result<void> Receiver::read_parts(Work& work) {
  if (work.envelope.unavailable) {
    // The server has nothing for this device: sent before we were linked, view-once, a bot.
    work.ignored = true;
    return show_unavailable(work);
  }
  if (work.envelope.parts.empty()) {
    work.nack = kNackUnknown;
    return {};
  }
  for (const EncPart& part : work.envelope.parts) {
    TRY(read_part(work, part));
  }
  // A message that was read before is known by its id and does not get here: this is another one,
  // under a number that its sender has used already.
  if (work.used_number && !work.any_read && !work.failed_content) {
    ask_again(work, signal::DecryptError::invalid_message, false);
  }
  return {};
}

/// Linked devices never get what may be seen once; the shop should know that something came.
Result<void> Receiver::show_unavailable(Work& work) {
  if (!work.envelope.unavailable_type.starts_with("view_once")) return {};
  Parsed parsed;
  parsed.content.emplace().what = content::Other{"viewOnceMessage", ""};
  TRY(work.out.event, build_event(work, std::move(parsed)));
  return {};
}

Result<void> Receiver::read_part(Work& work, const EncPart& part) {
  if (part.kind == EncPart::Kind::other) {
    if (part.type == "msmsg")
      work.nack = kNackNoSecret;
    else
      work.nack = kNackUnknown;
    return {};
  }
  // Group and status contents are read when groups are; the keys that come along are kept, so that
  // nothing but an ack is owed here.
  if (part.kind == EncPart::Kind::skmsg) {
    work.ignored = true;
    return {};
  }
  TRY(auto decrypted, decrypt(work.envelope, part));
  if (decrypted) {
    work.any_read = true;
    if (decrypted->identity_changed) work.out.changed_identity = work.envelope.sender;
    return read_plaintext(work, decrypted->plaintext);
  }
  const auto& failure = decrypted.error();
  log::debug("messages", "message could not be decrypted",
             {{"why", signal::to_string(failure.kind)}});
  switch (failure.kind) {
    case signal::DecryptError::duplicate:
      work.used_number = true;
      return {};
    case signal::DecryptError::bad_version:
    case signal::DecryptError::malformed:
      work.nack = kNackNotProtobuf;
      return {};
    case signal::DecryptError::internal:
      return fail(failure.error, "decrypting");
    case signal::DecryptError::no_session:
    case signal::DecryptError::invalid_key:
    case signal::DecryptError::invalid_key_id:
    case signal::DecryptError::invalid_message:
    case signal::DecryptError::too_far:
      break;
  }
  ask_again(work, failure.kind, part.hide_failure);
  return {};
}

void Receiver::ask_again(Work& work, signal::DecryptError why, bool hide_failure) {
  // Until groups are read, what comes in them is not worth a question.
  if (!work.envelope.chat.is_person()) {
    work.ignored = true;
    return;
  }
  work.failed_content = true;
  FailedMessage failed;
  failed.reason = signal::retry_reason(why);
  failed.without_session = why == signal::DecryptError::no_session ||
                           why == signal::DecryptError::invalid_key_id ||
                           why == signal::DecryptError::too_far;
  failed.hide_failure = hide_failure;
  work.out.failed = std::move(failed);
}

Result<signal::DecryptResult> Receiver::decrypt(const Envelope& envelope, const EncPart& part) {
  const auto try_as = [&](const Jid& device) {
    const signal::Address address = address_of(device);
    return part.kind == EncPart::Kind::pkmsg ? protocol_.decrypt_pkmsg(address, part.ciphertext)
                                             : protocol_.decrypt_msg(address, part.ciphertext);
  };
  TRY(const Jid device, context_.names.preferred(envelope.sender));
  auto result = try_as(device);
  if (result || result.error().kind != signal::DecryptError::no_session) return result;
  TRY(const auto other, context_.names.other(device));
  if (!other) return result;
  auto second = try_as(other->with_device(device.device));
  if (second) return second;
  return result;
}

Result<void> Receiver::read_plaintext(Work& work, ByteView padded) {
  const auto plain = signal::unpad(padded);
  wa::Message message;
  if (!plain || plain->size() > kMaxPlaintext ||
      !message.ParseFromArray(plain->data(), static_cast<int>(plain->size()))) {
    work.nack = kNackNotProtobuf;
    return {};
  }
  const auto opened = open_wrappers(message);
  if (!opened) {
    work.nack = kNackNotProtobuf;
    return {};
  }
  TRY(take_distribution(work, message));
  const bool inner = opened->message->has_messagecontextinfo();
  work.context_info = (inner ? *opened->message : message).messagecontextinfo();
  return interpret(work, *opened);
}

Result<void> Receiver::take_distribution(const Work& work, const wa::Message& message) {
  if (!message.has_senderkeydistributionmessage()) return {};
  const auto& distribution = message.senderkeydistributionmessage();
  if (distribution.groupid().size() > kMaxGroupId) return {};
  const auto group = wire::parse_jid(distribution.groupid());
  if (!group || !(group->is_group() || group->server == wire::kServerBroadcast)) return {};
  TRY(const Jid device, context_.names.preferred(work.envelope.sender));
  const auto taken =
      protocol_.process_distribution({to_string(*group), address_of(device)},
                                     as_bytes(distribution.axolotlsenderkeydistributionmessage()));
  if (!taken && taken.error().kind == signal::DecryptError::internal) {
    return fail(taken.error().error, "sender key");
  }
  return {};
}

Result<void> Receiver::interpret(Work& work, const Unwrapped& opened) {
  Envelope& envelope = work.envelope;
  // Only our own devices may speak for us: from anybody else a "device sent" copy is a forgery.
  if (opened.device_sent != nullptr && !envelope.from_me) return {};
  if (opened.group_status || envelope.is_status()) return {};
  if (opened.device_sent != nullptr && !envelope.recipient) {
    const auto chat = wire::parse_jid(opened.device_sent->destinationjid());
    if (chat && !chat->user.empty()) envelope.chat = from_hosted(chat->bare());
  }
  if (opened.message->has_secretencryptedmessage()) {
    TRY(const auto edit, open_edit(work, opened.message->secretencryptedmessage()));
    if (edit) return interpret_content(work, *edit, false);
  }
  return interpret_content(work, *opened.message, opened.view_once);
}

Result<void> Receiver::interpret_content(Work& work, const wa::Message& message,
                                         bool view_once_around) {
  const Envelope& envelope = work.envelope;
  Parsed parsed = parse_content(message);
  if (parsed.protocol != nullptr) {
    take_protocol(work, *parsed.protocol);
    return {};
  }
  if (!parsed.content || envelope.category == "peer") return {};
  const bool view_once = keep_once_only(*parsed.content, view_once_around);
  const bool changes_other = std::holds_alternative<content::Edit>(parsed.content->what) ||
                             std::holds_alternative<content::Deletion>(parsed.content->what);
  // In a chat of two only the author may change or delete a message.
  if (changes_other && envelope.chat.is_person() && !parsed.target_from_me) return {};
  TRY(work.out.event, build_event(work, std::move(parsed)));
  if (!changes_other) {
    TRY(remember(work, message, view_once));
  }
  return {};
}

/// The secret that came with a message, ours or theirs.
Result<Bytes> Receiver::secret_of(const Jid& chat, const std::string& id) {
  TRY(const auto received, context_.messages.received(to_string(chat), id));
  TRY(const auto sent, received ? Result<std::optional<store::MessageStore::Sent>>(std::nullopt)
                                : context_.messages.sent(id));
  wa::Message parent;
  const Bytes none;
  const Bytes& bytes = received ? received->message : sent ? sent->message : none;
  if (!parent.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Bytes();
  return to_bytes(as_bytes(parent.messagecontextinfo().messagesecret()));
}

/// An edit that is encrypted under the secret of what it edits; nullopt: it cannot be opened.
Result<std::optional<wa::Message>> Receiver::open_edit(
    const Work& work, const wa::Message::SecretEncryptedMessage& secret) {
  using Secret = wa::Message::SecretEncryptedMessage;
  if (secret.secretenctype() != Secret::MESSAGE_EDIT) return std::optional<wa::Message>();
  TRY(const Jid chat, context_.names.preferred(work.envelope.chat));
  TRY(const Bytes key, secret_of(chat, secret.targetmessagekey().id()));
  if (key.size() != kSecretBytes) return std::optional<wa::Message>();
  const Jid author = work.envelope.sender.bare();
  TRY(const Jid named, context_.names.preferred(author));
  TRY(const auto other, context_.names.other(author));
  // Which of the two names the editor used is not said: author and editor are the same person.
  for (const Jid& name : {named, author, other.value_or(author)}) {
    const std::string text = to_string(name);
    const auto plain = open_secret({secret.targetmessagekey().id(), text, text, key}, kMessageEdit,
                                   as_bytes(secret.enciv()), as_bytes(secret.encpayload()));
    wa::Message message;
    if (plain && message.ParseFromArray(plain->data(), static_cast<int>(plain->size()))) {
      const auto opened = open_wrappers(message);
      if (opened) return std::optional<wa::Message>(*opened->message);
    }
  }
  return std::optional<wa::Message>();
}

void Receiver::take_protocol(Work& work, const Protocol& protocol) {
  // What housekeeping says is believed from our own devices only.
  if (!work.envelope.from_me) return;
  if (protocol.type() == Protocol::HISTORY_SYNC_NOTIFICATION) {
    // The phone offers the chunk again until it is told that it was taken.
    work.out.replies.push_back(Node("receipt", {{"id", work.envelope.id},
                                                {"to", context_.line.identity().pn.bare()},
                                                {"type", "hist_sync"}}));
  }
  if (protocol.type() == Protocol::LID_MIGRATION_MAPPING_SYNC) {
    context_.addressing.on_moved();
    take_lid_migration(work, protocol.lidmigrationmappingsyncmessage());
  }
}

void Receiver::take_lid_migration(Work& work, const wa::LIDMigrationMappingSyncMessage& message) {
  wa::LIDMigrationMappingSyncPayload payload;
  if (!payload.ParseFromString(message.encodedmappingpayload())) return;
  for (const auto& mapping : payload.pntolidmappings()) {
    const auto pn = numbered(mapping.pn(), wire::kServerUser);
    const auto lid = numbered(mapping.has_latestlid() ? mapping.latestlid() : mapping.assignedlid(),
                              wire::kServerLid);
    if (pn && lid) work.out.names.emplace_back(*pn, *lid);
  }
}

Result<Message> Receiver::build_event(Work& work, Parsed parsed) {
  const Envelope& envelope = work.envelope;
  Message event;
  event.id = envelope.id;
  TRY(event.chat, context_.names.chat_id(envelope.chat));
  TRY(event.sender, context_.names.chat_id(envelope.sender));
  event.from_me = envelope.from_me;
  event.timestamp = envelope.timestamp;
  event.sender_name = envelope.push_name;
  TRY(const Jid chat, context_.names.preferred(envelope.chat));
  if (envelope.chat.is_person()) {
    TRY(event.chat_name, chat_name(work, to_string(chat)));
    if (!envelope.from_me) event.sender_name = event.chat_name;
  }
  event.content = std::move(*parsed.content);
  if (event.content.quote) {
    TRY(fill_quote(envelope, parsed.target_from_me, *event.content.quote));
  }
  return event;
}

/// The quote in the words of the API: its author as a chatId, and its text when we remember it.
Result<void> Receiver::fill_quote(const Envelope& envelope, bool by_sender, Quote& quote) {
  auto author = wire::parse_jid(quote.participant);
  if (quote.participant.empty() && (by_sender || envelope.chat.is_person())) {
    // In a chat of two it is the one or the other.
    const Jid& other = envelope.from_me ? envelope.chat : context_.line.identity().pn;
    author = (by_sender ? envelope.sender : other).bare();
  }
  if (author && author->is_person()) {
    TRY(quote.participant, context_.names.chat_id(*author));
  }
  if (!quote.text.empty()) return {};
  TRY(const Jid chat, context_.names.preferred(envelope.chat));
  TRY(const auto original, context_.messages.received(to_string(chat), quote.id));
  wa::Message message;
  if (original && message.ParseFromString(to_string(original->message))) {
    describe_quoted(message, quote);
  }
  return {};
}

Result<void> Receiver::remember(Work& work, const wa::Message& message, bool view_once) {
  TRY(const Jid chat, context_.names.preferred(work.envelope.chat));
  TRY(const Jid sender, context_.names.preferred(work.envelope.sender.bare()));
  store::MessageStore::Received received;
  received.id = work.envelope.id;
  received.chat = to_string(chat);
  received.sender = to_string(sender);
  received.message = kept_of(message, work.context_info, view_once);
  received.unread = !work.envelope.from_me;
  remember_file(work, received);
  work.out.received = std::move(received);
  return {};
}

/// Where its file lies, for whoever wants it later.
void Receiver::remember_file(Work& work, const store::MessageStore::Received& message) {
  const auto* file =
      work.out.event ? std::get_if<content::File>(&work.out.event->content.what) : nullptr;
  if (file == nullptr || !file->place || file->ref.size() != kRefDigits) return;
  store::MediaStore::Received received;
  received.file = *file;
  received.chat = message.chat;
  received.sender = message.sender;
  received.message_id = message.id;
  received.from_me = work.envelope.from_me;
  work.out.file = std::move(received);
}

/// The other side's name in a chat of two; a new one is noted.
Result<std::string> Receiver::chat_name(Work& work, const std::string& user) {
  TRY(auto known, context_.messages.push_name(user));
  const Envelope& envelope = work.envelope;
  if (envelope.from_me || envelope.push_name.empty()) return known.value_or("");
  if (known != envelope.push_name) {
    work.out.push_name_user = user;
    work.out.push_name = envelope.push_name;
  }
  return envelope.push_name;
}

void Receiver::finish(Work& work) {
  const session::Identity& self = context_.line.identity();
  const Envelope& envelope = work.envelope;
  if (work.failed_content) {
    // Its ack leaves together with the retry request: a crash before that brings it again.
    work.out.failed->stanza = work.stanza;
    work.out.seen_key.reset();
    return;
  }
  work.out.failed.reset();
  if (work.nack != 0 && !work.any_read) {
    work.out.replies.push_back(build_ack(work.stanza, self, work.nack));
    work.out.seen_key.reset();
    return;
  }
  // A decrypted part that was not a message: the ratchet has moved, and asking again gives the
  // same.
  if (work.nack != 0) {
    work.out.replies.push_back(build_ack(work.stanza, self, work.nack));
    return;
  }
  // A note to ourselves has nobody who waits for a receipt.
  const bool to_self = envelope.from_me && envelope.chat.is_person() && !envelope.recipient &&
                       envelope.category != "peer";
  if (work.ignored || to_self || envelope.is_status()) {
    if (!work.out.event) work.out.seen_key.reset();
    work.out.replies.push_back(build_ack(work.stanza, self));
    return;
  }
  work.out.replies.push_back(build_delivery_receipt(envelope, self));
}

}  // namespace posthorn::chat
