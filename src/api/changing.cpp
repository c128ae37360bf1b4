#include "api/accept.h"
#include "api/errors.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/sending/kinds.h"
#include "posthorn/api/chat_id.h"

// What is done to a message that was posted or came before: editMessage, deleteMessage,
// sendReaction. A job that still waits is changed in the queue; for everything else WhatsApp is
// told.
namespace posthorn::api {
namespace {

using chat::EarlierMessage;

constexpr minutes kEditable{15};
constexpr hours kDeletable{60};
constexpr std::size_t kReactionMax = 32;  // bytes: one emoji of several joined ones
constexpr const char* kUnknown =
    "ID message notfound: this chat has no such message among those that the box remembers (of "
    "what it sent those of a month, of what came in the newest 2000) or has in its queue";

/// The message in that chat. Errors: not_found, with what the till is told.
Result<EarlierMessage> find_earlier(Context& context, const std::string& chat,
                                    const std::string& id) {
  TRY(auto found, context.outside.earlier.find(chat, id));
  if (!found) return fail(Errc::malformed, kUnknown);
  return std::move(*found);
}

/// What is done to a message by the number that it went by. Errors: malformed, for the till.
Result<void> check_changeable(const EarlierMessage& message) {
  if (!message.official) return {};
  return invalid(
      "idMessage",
      "must be of a message of the linked account: this one went by the official number, "
      "where nothing can be edited or deleted");
}

bool is_older(const EarlierMessage& message, Wall now, milliseconds limit) {
  return message.sent_at && now.trusted && now - *message.sent_at > limit;
}

bool can_have_caption(content::File::Kind kind) {
  using Kind = content::File::Kind;
  return kind == Kind::image || kind == Kind::video || kind == Kind::gif || kind == Kind::document;
}

/// Texts and captions; the new text is put in its place. false: this kind has none.
bool replace_text(Content& content, const std::string& text) {
  if (auto* plain = std::get_if<content::Text>(&content.what)) {
    // The till said what stood above the link of the text before.
    plain->preview.reset();
    plain->body = text;
    return true;
  }
  auto* file = std::get_if<content::File>(&content.what);
  if (file == nullptr || !can_have_caption(file->kind)) return false;
  file->caption = text;
  return true;
}

/// Phones change a caption; a file that left without one stays without.
bool is_editable(const Content& content) {
  const auto* file = std::get_if<content::File>(&content.what);
  if (file != nullptr) return can_have_caption(file->kind) && !file->caption.empty();
  return std::holds_alternative<content::Text>(content.what);
}

constexpr const char* kNoText =
    "Validation failed. Details: 'idMessage' must be of a text or a file with a caption: WhatsApp "
    "edits nothing else";

/// The job that edits a message which has left the queue.
Result<Job> parse_edit_job(Context& context, const Call& call, content::Edit edit) {
  TRY(const std::string chat, required_chat(call.body));
  TRY(EarlierMessage earlier, find_earlier(context, chat, edit.target_id));
  TRY(check_changeable(earlier));
  if (!earlier.from_me) {
    return invalid("idMessage", "must be of a message of this account: nobody can edit another's");
  }
  if (is_older(earlier, call.now, kEditable)) {
    return invalid(
        "idMessage",
        "must be of a message of the last 15 minutes: WhatsApp does not take later edits");
  }
  if (earlier.content && !is_editable(*earlier.content)) {
    return fail(Errc::malformed, kNoText);
  }
  TRY(Job job, parse_job(call.body, context.settings(), {"idMessage", "message"},
                         Result<Content::What>(std::move(edit))));
  job.urgent = true;
  return job;
}

void queue_edit(Context& context, Call call, content::Edit edit) {
  auto job = parse_edit_job(context, call, std::move(edit));
  queue_job(context, std::move(call), "editMessage", std::move(job));
}

/// The same job with another text.
void rewrite(Context& context, Call call, Job job, content::Edit edit) {
  if (!replace_text(job.content, edit.text)) return call.refuse(Error{Errc::malformed, kNoText});
  const std::string id = job.id;
  context.outside.outbox.replace(std::move(job),
                                 [shared = context.shared_from_this(), id, edit = std::move(edit),
                                  call = std::move(call)](Result<bool> replaced) mutable {
                                   if (!replaced) return call.refuse(replaced.error());
                                   // It left while we looked.
                                   if (!*replaced)
                                     return queue_edit(*shared, std::move(call), std::move(edit));
                                   json::Value answer;
                                   answer["idMessage"] = id;
                                   call.send(answer);
                                 });
}

Result<Job> parse_deletion_job(Context& context, const Call& call, const std::string& chat,
                               const std::string& id) {
  TRY(const EarlierMessage earlier, find_earlier(context, chat, id));
  TRY(check_changeable(earlier));
  if (!earlier.from_me && !is_group_chat(chat)) {
    return invalid("idMessage",
                   "must be of a message of this account: a customer's can be deleted for oneself "
                   "only, on the phone");
  }
  if (is_older(earlier, call.now, kDeletable)) {
    return invalid(
        "idMessage",
        "must be of a message of the last 60 hours: WhatsApp does not delete older ones");
  }
  TRY(Job job, parse_job(call.body, context.settings(), {"idMessage", "onlySenderDelete"},
                         Result<Content::What>(content::Deletion{id})));
  job.urgent = true;
  return job;
}

struct Deletion {
  std::string chat, id;
  bool only_here = false;
};

Result<Deletion> parse_deletion(const json::Value& body) {
  Deletion deletion;
  TRY(deletion.chat, required_chat(body));
  TRY(std::string id, required_text(body, "idMessage"));
  TRY(deletion.id, check_message_id(std::move(id)));
  TRY(const auto only, optional_bool(body, "onlySenderDelete"));
  deletion.only_here = only.value_or(false);
  return deletion;
}

/// On the account's own devices only, by what they tell each other of their chats.
void delete_here(Context& context, Call call, const Deletion& deletion) {
  const auto earlier = find_earlier(context, deletion.chat, deletion.id);
  if (!earlier) return call.refuse(earlier.error());
  if (auto good = check_changeable(*earlier); !good) return call.refuse(good.error());
  if (!earlier->from_me && is_group_chat(deletion.chat)) {
    return call.refuse(invalid("onlySenderDelete",
                               "must be false for another member's message in a group: delete "
                               "it for oneself on the phone")
                           .value());
  }
  context.outside.chat_state.remove_message(deletion.chat, deletion.id, earlier->from_me,
                                            earlier->sent_at.value_or(call.now),
                                            [call = std::move(call)](Result<void> removed) mutable {
                                              if (!removed) return call.refuse(removed.error());
                                              call.send_text("");
                                            });
}

Result<content::Reaction> parse_reaction(const json::Value& body) {
  content::Reaction kind;
  TRY(const auto emoji, optional_text(body, "reaction"));
  if (!emoji) return invalid("reaction", "is required (an empty one takes it back)");
  kind.emoji = *emoji;
  const bool word = !kind.emoji.empty() && static_cast<unsigned char>(kind.emoji.front()) < 0x80 &&
                    kind.emoji.find("\xE2\x83\xA3") == std::string::npos;  // "1" in a box is one
  if (word || kind.emoji.size() > kReactionMax) return invalid("reaction", "must be one emoji");
  return kind;
}

Result<Job> parse_reaction_job(Context& context, const Call& call) {
  TRY(std::string id, required_text(call.body, "idMessage"));
  TRY(id, check_message_id(std::move(id)));
  TRY(Job job, parse_job(call.body, context.settings(), {"idMessage", "reaction"},
                         Result<Content::What>(parse_reaction(call.body))));
  job.content.quote.emplace().id = std::move(id);
  return job;
}

}  // namespace

void edit_message(Context& context, Call call) {
  auto edit = parse_edit(call.body);
  if (!edit) return call.refuse(edit.error());
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  std::string id = edit->target_id;
  context.outside.outbox.waiting(
      id, [shared = context.shared_from_this(), edit = std::move(*edit), chat = *chat,
           call = std::move(call)](Result<std::optional<Job>> job) mutable {
        if (!job) return call.refuse(job.error());
        const bool here = *job && (*job)->chat == chat;
        if (here) return rewrite(*shared, std::move(call), std::move(**job), std::move(edit));
        queue_edit(*shared, std::move(call), std::move(edit));
      });
}

void delete_message(Context& context, Call call) {
  auto deletion = parse_deletion(call.body);
  if (!deletion) return call.refuse(deletion.error());
  std::string id = deletion->id;
  context.outside.outbox.drop(
      id, deletion->chat,
      [shared = context.shared_from_this(), deletion = *deletion,
       call = std::move(call)](Result<bool> dropped) mutable {
        if (!dropped) return call.refuse(dropped.error());
        if (*dropped) return call.send_text("");
        if (deletion.only_here) return delete_here(*shared, std::move(call), deletion);
        auto job = parse_deletion_job(*shared, call, deletion.chat, deletion.id);
        queue_job(*shared, std::move(call), "deleteMessage", std::move(job), std::nullopt);
      });
}

void send_reaction(Context& context, Call call) {
  auto job = parse_reaction_job(context, call);
  if (!job) return call.refuse(job.error());
  const std::string id = job->content.quote->id;
  auto earlier = context.outside.earlier.find(job->chat, id);
  if (!earlier) return call.refuse(earlier.error());
  if (*earlier) return queue_job(context, std::move(call), "sendReaction", std::move(job));
  // It may still wait; then the reaction goes behind it.
  context.outside.outbox.waiting(
      id, [shared = context.shared_from_this(), job = std::move(*job),
           call = std::move(call)](Result<std::optional<Job>> target) mutable {
        if (!target) return call.refuse(target.error());
        const bool here = *target && (*target)->chat == job.chat;
        if (!here) return call.refuse(Error{Errc::malformed, kUnknown});
        queue_job(*shared, std::move(call), "sendReaction", Result<Job>(std::move(job)));
      });
}

}  // namespace posthorn::api
