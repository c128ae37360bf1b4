#include "chat/receive/message.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "chat/content/context.h"
#include "chat/content/once_only.h"
#include "chat/people/addressing.h"
#include "chat/people/ids.h"
#include "chat/people/mentions.h"
#include "chat/people/names.h"
#include "chat/receive/receipts.h"
#include "chat/receive/work.h"
#include "posthorn/base/log.h"
#include "posthorn/base/utf8.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;
using Protocol = wa::Message::ProtocolMessage;

constexpr std::size_t kMaxPlaintext = 1U << 20;
constexpr std::size_t kMaxKept = 64U << 10;
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

/// What is kept of a message: what a later quote shows, what passing it on sends, and the secret
/// that a later edit of it is encrypted under. Nothing of it when it is too long for that, or may
/// be seen only once.
Bytes kept_of(const wa::Message& message, const wa::MessageContextInfo& context, bool view_once) {
  wa::Message kept = view_once ? wa::Message() : message;
  drop_context(kept);
  kept.clear_senderkeydistributionmessage();
  if (kept.has_imagemessage()) kept.mutable_imagemessage()->clear_jpegthumbnail();
  if (kept.has_videomessage()) kept.mutable_videomessage()->clear_jpegthumbnail();
  if (kept.has_ptvmessage()) kept.mutable_ptvmessage()->clear_jpegthumbnail();
  if (kept.has_documentmessage()) kept.mutable_documentmessage()->clear_jpegthumbnail();
  if (kept.has_stickermessage()) kept.mutable_stickermessage()->clear_pngthumbnail();
  if (kept.has_locationmessage()) kept.mutable_locationmessage()->clear_jpegthumbnail();
  if (kept.has_extendedtextmessage()) kept.mutable_extendedtextmessage()->clear_jpegthumbnail();
  if (kept.ByteSizeLong() > kMaxKept) kept.Clear();
  if (context.messagesecret().size() == kSecretBytes) {
    kept.mutable_messagecontextinfo()->set_messagesecret(context.messagesecret());
  }
  return to_bytes(kept.SerializeAsString());
}

/// Numbers without user or server in the migration list are WhatsApp's way to say "none".
std::optional<Jid> numbered(std::uint64_t user, std::string_view server) {
  if (user == 0) return std::nullopt;
  return Jid{std::to_string(user), std::string(server), 0};
}

}  // namespace

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
  TRY(work.out.keys, seen_keys_of(context_.names, work.envelope));
  if (was_seen(work.out.keys)) {
    work.out.replies.push_back(thanks_for(work));
    return std::move(work.out);
  }
  work.out.seen_key = work.out.keys.front();
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
  if (work.envelope.unavailable) return read_unavailable(work);
  if (work.envelope.parts.empty()) {
    work.nack = kNackUnknown;
    return {};
  }
  for (const EncPart& part : work.envelope.parts) {
    TRY(read_part(work, part));
  }
  // A message that was read before is known by its id and does not get here: this is another one,
  // under a number that its sender has used already.
  if (work.used_number && !work.says_something() && !work.failed_content) {
    ask_again(work, signal::DecryptError::invalid_message, false);
  }
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

Result<signal::DecryptResult> Receiver::decrypt(const Envelope& envelope, const EncPart& part) {
  const auto try_as = [&](const Jid& device) -> signal::DecryptResult {
    const signal::Address address = address_of(device);
    if (part.kind == EncPart::Kind::skmsg) {
      return protocol_.decrypt_group({to_string(envelope.from.bare()), address}, part.ciphertext);
    }
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
  if (opened.group_status) return {};
  if (envelope.is_status()) return interpret_story(work, *opened.message);
  if (opened.device_sent != nullptr && !envelope.recipient) {
    const auto chat = wire::parse_jid(opened.device_sent->destinationjid());
    if (chat && !chat->user.empty()) envelope.chat = from_hosted(chat->bare());
  }
  TRY(note_timer(work, *opened.message));
  if (opened.message->has_secretencryptedmessage()) {
    TRY(const auto edit, additions_.edit(envelope, opened.message->secretencryptedmessage()));
    if (edit) return interpret_content(work, *edit, false);
  }
  if (opened.message->has_encreactionmessage()) {
    TRY(const auto reaction, additions_.reaction(envelope, opened.message->encreactionmessage()));
    if (reaction) return interpret_content(work, *reaction, false);
  }
  if (opened.message->has_pollupdatemessage()) {
    return interpret_vote(work, opened.message->pollupdatemessage());
  }
  return interpret_content(work, *opened.message, opened.view_once);
}

/// Told for whoever keeps a journal. Nobody is told that it was seen.
Result<void> Receiver::interpret_story(Work& work, const wa::Message& message) {
  Parsed parsed = parse_content(message);
  if (parsed.protocol != nullptr || !parsed.content) return {};
  const Content::What& what = parsed.content->what;
  const bool deletion = std::holds_alternative<content::Deletion>(what);
  const bool post =
      std::holds_alternative<content::Text>(what) || std::holds_alternative<content::File>(what);
  if (!post && !(deletion && parsed.target_from_me)) return {};
  (void)keep_once_only(*parsed.content, false);
  TRY(work.out.event, build_event(work, std::move(parsed)));
  TRY(const Jid sender, context_.names.preferred(work.envelope.sender.bare()));
  store::MessageStore::Received story;
  story.id = work.envelope.id;
  story.chat = to_string(work.envelope.chat);
  story.sender = to_string(sender);
  remember_file(work, story);
  return {};
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
  Changer changer = Changer::author;
  if (changes_other) {
    TRY(changer, changer_of(envelope, parsed));
    if (changer == Changer::nobody) return {};
  }
  if (const auto* timer = std::get_if<content::Timer>(&parsed.content->what)) {
    if (!envelope.chat.is_person()) return {};  // a group's is told by the server
    TRY(set_timer(work, {timer->seconds, timer->set_at}));
  }
  const bool poll = std::holds_alternative<content::Poll>(parsed.content->what);
  TRY(work.out.event, build_event(work, std::move(parsed)));
  if (work.out.event) work.out.event->by_admin = changer == Changer::admin;
  if (!changes_other) {
    TRY(remember(work, message, view_once));
  }
  if (poll && work.out.received && work.context_info.messagesecret().size() == kSecretBytes) {
    work.out.poll = store::PollStore::Poll{work.out.received->id, work.out.received->chat,
                                           work.out.received->sender, work.out.received->message};
  }
  return {};
}

/// What a message says about the chat's timer beside its content.
Result<void> Receiver::note_timer(Work& work, const wa::Message& message) {
  const wa::ContextInfo* context = context_in(message);
  if (context == nullptr || context->expiration() == 0) return {};
  return set_timer(work, {context->expiration(), context->ephemeralsettingtimestamp()});
}

Result<void> Receiver::set_timer(Work& work, store::TimerStore::ChatTimer timer) {
  TRY(const Jid chat, context_.names.preferred(work.envelope.chat));
  work.out.timer.emplace(to_string(chat), timer);
  return {};
}

/// A vote in a poll that we remember. Of any other only that it came can be told.
Result<void> Receiver::interpret_vote(Work& work, const wa::Message::PollUpdateMessage& update) {
  TRY(auto voted, additions_.vote(work.envelope, update));
  Parsed parsed;
  parsed.content.emplace().what = content::Other{"pollUpdateMessage", ""};
  if (voted) {
    work.out.vote = std::move(voted->vote);
    if (voted->late) return {};
    parsed.content->what = std::move(voted->told);
  }
  TRY(work.out.event, build_event(work, std::move(parsed)));
  return {};
}

void Receiver::take_protocol(Work& work, const Protocol& protocol) {
  // What housekeeping says is believed from our own devices only.
  if (!work.envelope.from_me) return;
  work.out.from_own_device = protocol;
  work.out.own_device = work.envelope.sender;
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
  } else if (envelope.chat.is_group()) {
    TRY(const auto group, context_.groups.find(to_string(envelope.chat)));
    if (group) event.chat_name = group->subject;
    TRY(event.sender_name, sender_name(work));
  }
  event.content = std::move(*parsed.content);
  if (event.content.quote) {
    TRY(fill_quote(envelope, parsed.target_from_me, *event.content.quote));
  }
  TRY(name_mentioned(context_.names, event.content));
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

/// A group member's own name; a new one is noted.
Result<std::string> Receiver::sender_name(Work& work) {
  if (work.envelope.from_me) return work.envelope.push_name;
  TRY(const Jid sender, context_.names.preferred(work.envelope.sender.bare()));
  return chat_name(work, to_string(sender));
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

}  // namespace posthorn::chat
