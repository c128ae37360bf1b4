#include "posthorn/api/recorder.h"

#include <algorithm>
#include <utility>

#include "api/journal_form.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

using journal::Direction;
using journal::Entry;
using journal::Status;
using journal::What;

constexpr std::size_t kCallsKnown = 64;
constexpr std::size_t kAddedKnown = 512;
constexpr std::size_t kExternalKnown = 4096;
/// Jobs looked at when the box starts.
constexpr std::size_t kPendingMost = 20'000;

/// What has been answered or rejected stays so when the line is put down.
bool is_news(chat::Call::Status next, chat::Call::Status before) {
  using Call = chat::Call::Status;
  if (next == before || next == Call::offer) return false;
  return before == Call::offer || before == Call::missed;
}

/// Whether one person can have both names: of two in different forms nobody can tell.
bool may_be_one(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty() || one == other) return true;
  const auto form = [](const std::string& chat) { return chat.substr(chat.find('@') + 1); };
  return form(one) != form(other);
}

/// A change says of itself whose message it is for: whoever wrote that message is asked here.
journal::Journal::May authors_own(bool ours, const std::string& author) {
  return [ours, author](const Entry& target) {
    if ((target.direction == Direction::outgoing) != ours) return false;
    return ours || may_be_one(kept_sender(target.body), author);
  };
}

/// In groups admins delete what others wrote, the shop among them; chat has looked who is one.
journal::Journal::May may_delete(const std::string& chat, bool ours, const std::string& author,
                                 bool admin) {
  if (admin || (ours && is_group_chat(chat))) return {};
  return authors_own(ours, author);
}

}  // namespace

Status journal_status(MessageStatus status) {
  switch (status) {
    case MessageStatus::sent:
      return Status::sent;
    case MessageStatus::delivered:
      return Status::delivered;
    case MessageStatus::read:
      return Status::read;
    case MessageStatus::failed:
      return Status::failed;
    case MessageStatus::no_account:
      return Status::no_account;
    case MessageStatus::not_in_group:
      return Status::not_in_group;
    case MessageStatus::yellow_card:
      return Status::yellow_card;
  }
  return Status::none;
}

void Recorder::on_event(const chat::Event& event) {
  if (const auto* message = std::get_if<chat::Message>(&event)) return on_message(*message);
  if (const auto* receipt = std::get_if<chat::Receipt>(&event)) return on_receipt(*receipt);
  if (const auto* call = std::get_if<chat::Call>(&event)) return on_call(*call);
}

void Recorder::on_message(const chat::Message& message) {
  auto body = kept_form(message);
  if (!body) return;
  Entry entry;
  entry.id = message.id;
  entry.chat = key_of(message.chat);
  entry.at = message.timestamp;
  if (message.from_me) {
    entry.direction = Direction::outgoing;
    entry.status = Status::sent;
  }
  entry.body = std::move(*body);
  const std::string chat = entry.chat;
  outside_.journal.add(std::move(entry));
  change_original(chat, {message.from_me, message.sender, message.by_admin}, message.content);
}

/// An edit says what its target says now, a deletion that it says nothing.
void Recorder::change_original(const std::string& chat, const Author& author,
                               const Content& content) {
  if (const auto* edit = std::get_if<content::Edit>(&content.what)) {
    outside_.journal.edit(chat, edit->target_id, shown(edit->text),
                          authors_own(author.ours, author.chat));
  } else if (const auto* deletion = std::get_if<content::Deletion>(&content.what)) {
    outside_.journal.mark_deleted(chat, deletion->target_id, deleted_form,
                                  may_delete(chat, author.ours, author.chat, author.admin));
  }
}

void Recorder::on_receipt(const chat::Receipt& receipt) {
  const bool delivered = receipt.kind == chat::Receipt::Kind::delivered;
  outside_.journal.set_status(key_of(receipt.chat), receipt.message_id,
                              delivered ? Status::delivered : Status::read);
}

void Recorder::on_call(const chat::Call& call) {
  const std::string chat = key_of(call.chat);
  const auto known = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const auto& one) { return one.first == call.id; });
  if (known != calls_.end()) {
    if (!is_news(call.status, known->second)) return;
    known->second = call.status;
    return outside_.journal.set_body(chat, call.id, kept_form(call));
  }
  calls_.emplace_back(call.id, call.status);
  if (calls_.size() > kCallsKnown) calls_.pop_front();
  Entry entry;
  entry.id = call.id;
  entry.chat = chat;
  entry.at = call.timestamp;
  entry.what = What::call;
  entry.body = kept_form(call);
  outside_.journal.add(std::move(entry));
}

void Recorder::on_job(const Job& job) {
  if (!settled_) waiting_.insert(job.id);
  add_job(job, Status::pending);
  if (added_.size() >= kAddedKnown) added_.clear();
  added_.insert(job.id);
}

void Recorder::catch_up(const Job& done) {
  done_.insert(done.id);
  add_job(done, Status::pending);
}

void Recorder::add_job(const Job& job, Status status) {
  know_external(job);
  auto body = kept_form(with_quote(job, outside_.quote_of));
  if (!body) return;
  Entry entry;
  entry.id = job.id;
  entry.chat = key_of(job.chat);
  entry.at = job.accepted_at;
  entry.direction = Direction::outgoing;
  entry.by_api = true;
  entry.status = status;
  entry.external_id = job.external_id;
  entry.body = std::move(*body);
  outside_.journal.add(std::move(entry));
}

void Recorder::on_replaced(const Job& job) {
  if (auto body = kept_form(with_quote(job, outside_.quote_of))) {
    outside_.journal.set_body(key_of(job.chat), job.id, std::move(*body));
  }
}

void Recorder::on_dropped(const Job& job) {
  added_.erase(job.id);
  outside_.journal.forget(key_of(job.chat), job.id);
}

void Recorder::on_cleared() {
  added_.clear();
  outside_.journal.forget_pending();
}

void Recorder::on_fate(const Job& job, MessageStatus status, Wall at) {
  const std::string chat = key_of(job.chat);
  // It is there, unless the queue was cleared while it was being sent.
  if (added_.erase(job.id) == 0) add_job(job, Status::pending);
  const bool sent = status == MessageStatus::sent;
  outside_.journal.set_status(chat, job.id, journal_status(status),
                              sent && at.unix_seconds() > 0 ? std::optional(at) : std::nullopt);
  if (sent) change_original(chat, {true, "", false}, job.content);
}

void Recorder::catch_up(std::string_view notification) {
  const auto told = json::parse(notification);
  if (!told) return;
  const std::string type = json::string_at(*told, "typeWebhook").value_or("");
  if (type == "incomingMessageReceived") return catch_up_message(*told, true);
  if (type == "outgoingMessageReceived") return catch_up_message(*told, false);
  if (type != "outgoingMessageStatus") return;
  const auto status = parse_message_status(json::string_at(*told, "status").value_or(""));
  const auto chat = json::string_at(*told, "chatId");
  const auto id = json::string_at(*told, "idMessage");
  if (!status || !chat || !id) return;
  outside_.journal.set_status(key_of(*chat), *id, journal_status(*status));
}

void Recorder::catch_up_message(const json::Value& notification, bool incoming) {
  const json::Value& sender = json::at(notification, "senderData");
  const json::Value& data = json::at(notification, "messageData");
  const auto id = json::string_at(notification, "idMessage");
  const auto chat = json::string_at(sender, "chatId");
  if (!id || !chat) return;
  Entry entry;
  entry.id = *id;
  entry.chat = key_of(*chat);
  entry.at = Wall::from_unix(json::int_at(notification, "timestamp").value_or(0));
  entry.direction = incoming ? Direction::incoming : Direction::outgoing;
  entry.status = incoming ? Status::none : Status::sent;
  entry.body = kept_form(sender, data);
  const std::string key = entry.chat;
  const std::string author = json::string_at(sender, "sender").value_or("");
  outside_.journal.add(std::move(entry));
  const json::Value& edited = json::at(data, "editedMessageData");
  if (const auto target = json::string_at(edited, "stanzaId")) {
    const auto text = edited_text(edited);
    outside_.journal.edit(key, *target, text.value_or(""), authors_own(!incoming, author));
  }
  const json::Value& deleted = json::at(data, "deletedMessageData");
  if (const auto target = json::string_at(deleted, "stanzaId")) {
    // Whether it was an admin's is not told: what an admin deleted just before a cut stays.
    outside_.journal.mark_deleted(key, *target, deleted_form,
                                  may_delete(key, !incoming, author, false));
  }
}

void Recorder::settle(
    const std::function<bool(const std::string& chat, const std::string& id)>& was_sent) {
  settled_ = true;
  const auto waiting = std::exchange(waiting_, {});
  const auto done = std::exchange(done_, {});
  const auto pending = outside_.journal.pending(kPendingMost);
  if (!pending) {
    log::error("journal", "cannot be read", {{"error", pending.error()}});
    return;
  }
  for (const Entry& entry : *pending) {
    if (waiting.contains(entry.id)) continue;
    const bool sent = done.contains(entry.id) || (was_sent && was_sent(entry.chat, entry.id));
    outside_.journal.set_status(entry.chat, entry.id, sent ? Status::sent : Status::failed);
  }
  flush();
}

void Recorder::know_external(const Job& job) {
  if (job.external_id.empty()) return;
  any_external_ = true;
  if (!external_.emplace(job.id, job.external_id).second) return;
  external_order_.push_back(job.id);
  if (external_order_.size() <= kExternalKnown) return;
  external_.erase(external_order_.front());
  external_order_.pop_front();
}

std::string Recorder::external_id_of(const std::string& chat, const std::string& id) {
  if (const auto known = external_.find(id); known != external_.end()) return known->second;
  // Most tills give no numbers: then nobody asks the database at every receipt.
  if (!any_external_) any_external_ = outside_.journal.any_external().value_or(true);
  if (!*any_external_) return "";
  const auto found = outside_.journal.find_written(key_of(chat), id);
  return found && *found ? (*found)->external_id : "";
}

}  // namespace posthorn::api
