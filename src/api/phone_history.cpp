#include "api/errors.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/journal_form.h"
#include "api/journals.h"

/// Messages that only the phone has: of before the box, or of before what its journal keeps.
namespace posthorn::api {

namespace {

using chat::PastMessage;
using journal::Direction;
using journal::Entry;
using journal::Status;

constexpr const char* kNoPhone = "this box has no phone to ask";
constexpr const char* kNothingKnown =
    "the box knows no message of this chat, and older ones are counted from one that it knows";
/// Of the oldest entries, so many may be changes of other messages.
constexpr std::size_t kLookedAt = 32;

Status status_of(PastMessage::Fate fate) {
  switch (fate) {
    case PastMessage::Fate::none:
      return Status::none;
    case PastMessage::Fate::pending:
      return Status::pending;
    case PastMessage::Fate::sent:
      return Status::sent;
    case PastMessage::Fate::delivered:
      return Status::delivered;
    case PastMessage::Fate::read:
      return Status::read;
    case PastMessage::Fate::failed:
      return Status::failed;
  }
  return Status::none;
}

/// The phone counts from a message that stands in the chat, not from an edit or a reaction.
bool stands_in_chat(const Entry& entry) {
  const auto kept = json::parse(entry.body);
  const std::string type =
      kept ? json::string_at(json::at(*kept, "data"), "typeMessage").value_or("") : "";
  return type != "editedMessage" && type != "deletedMessage" && type != "reactionMessage" &&
         type != "pollUpdateMessage";
}

/// nullopt: none is known.
Result<std::optional<chat::KnownMessage>> oldest_known(Context& context, const std::string& chat) {
  TRY(const auto oldest, context.outside.journal->oldest(key_of(context, chat), kLookedAt));
  for (const Entry& entry : oldest) {
    if (!stands_in_chat(entry)) continue;
    const bool ours = entry.direction == Direction::outgoing;
    return std::optional(chat::KnownMessage{entry.id, ours, entry.at});
  }
  return std::optional<chat::KnownMessage>();
}

/// As the journal would have it.
std::optional<Entry> entry_of(const PastMessage& past) {
  auto body = kept_form(past.message);
  if (!body) return std::nullopt;
  Entry entry;
  entry.id = past.message.id;
  entry.chat = past.message.chat;
  entry.at = past.message.timestamp;
  entry.direction = past.message.from_me ? Direction::outgoing : Direction::incoming;
  entry.status = status_of(past.fate);
  entry.body = std::move(*body);
  return entry;
}

/// The phone's own trouble is none of the request's.
void refuse_in_words(Call& call, const Error& error) {
  const bool ours =
      error.code == Errc::busy || error.code == Errc::io || error.code == Errc::malformed;
  call.refuse(ours ? to_http(error).status : 502, error.detail);
}

void send_messages(Context& context, Call& call, const std::string& chat,
                   const std::vector<PastMessage>& messages) {
  std::string text = "[";
  for (const PastMessage& past : messages) {
    const auto entry = entry_of(past);
    if (!entry) continue;
    if (text.size() > 1) text += ',';
    text += json::write(message_item(context, *entry, chat, call.request.host));
  }
  call.send_text(text + "]");
}

}  // namespace

void request_chat_history(Context& context, Call call) {
  if (context.outside.phone_history == nullptr) return call.refuse(400, kNoPhone);
  if (!has_journal(context, call)) return;
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  const auto count = number_between(call.body, "count", 1, chat::PhoneHistory::kMostMessages);
  if (!count) return call.refuse(count.error());
  const auto than = oldest_known(context, *chat);
  if (!than) return call.refuse(than.error());
  if (!*than) return call.refuse(400, kNothingKnown);
  context.outside.phone_history->older(
      *chat, **than, static_cast<std::uint32_t>(count->value_or(chat::PhoneHistory::kMostMessages)),
      [shared = context.shared_from_this(), chat = *chat,
       call = std::move(call)](Result<std::vector<PastMessage>> messages) mutable {
        if (!messages) return refuse_in_words(call, messages.error());
        send_messages(*shared, call, chat, *messages);
      });
}

}  // namespace posthorn::api
