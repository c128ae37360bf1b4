// What the rings tell when the program starts, of what the store may not know.
#include <set>
#include <utility>
#include <vector>

#include "daemon/app.h"
#include "posthorn/base/json.h"

namespace posthorn::daemon {

namespace {

/// Notifications looked at when the program starts, for what the store may not know of; after a
/// clean end that is only what was on its way.
constexpr std::uint64_t kRecentNotifications = 4096;
constexpr std::uint64_t kOnTheirWay = 512;
/// Jobs of the outbox that may have left without the store's knowledge: two leases of 64.
constexpr std::uint64_t kUnsureJobs = 128;
constexpr std::size_t kUnsureBytes = std::size_t{512} << 10;

/// Notifications that a power cut can have kept from the journal: one batch and what came with it.
constexpr std::size_t kCaughtUp = 1024;

/// A message id out of a stored notification, when it is about a message that came in.
std::optional<std::string> incoming_id(ByteView notification) {
  // Most are statuses, and parsing all would cost the start.
  if (as_text(notification).find("MessageReceived\"") == std::string_view::npos)
    return std::nullopt;
  const auto parsed = json::parse(as_text(notification));
  if (!parsed) return std::nullopt;
  const auto type = json::string_at(*parsed, "typeWebhook");
  if (type != "incomingMessageReceived" && type != "outgoingMessageReceived") return std::nullopt;
  return json::string_at(*parsed, "idMessage");
}

/// The message id in a notification about a message of ours; empty: it is about something else.
std::string_view outgoing_id(std::string_view notification) {
  constexpr std::string_view kKey = "\"idMessage\":\"";
  if (notification.find("\"outgoing") == std::string_view::npos) return {};
  const std::size_t at = notification.find(kKey);
  if (at == std::string_view::npos) return {};
  notification.remove_prefix(at + kKey.size());
  return notification.substr(0, notification.find('"'));
}

}  // namespace

/// Reads what the inbox has told lately: ids of messages that came in, oldest first. The notifier
/// remembers the statuses among them.
Result<std::vector<std::string>> App::told_messages() {
  std::vector<std::string> ids;
  TRY(out_.inbox_ring.for_each_recent(ended_cleanly() ? kOnTheirWay : kRecentNotifications,
                                      [&](const queue::Entry&, ByteView notification) {
                                        notifier_->remember(as_text(notification));
                                        if (journal_) latest_.emplace_back(as_text(notification));
                                        if (latest_.size() > kCaughtUp) latest_.pop_front();
                                        if (auto id = incoming_id(notification))
                                          ids.push_back(std::move(*id));
                                      }));
  return ids;
}

/// The life before this one, with all of it in the store.
bool App::ended_cleanly() const { return out_.store.exact_since() != out_.store.life(); }

/// What may have left in the moments that a kill or a power cut took from the store; empty after a
/// clean end.
Result<std::vector<Job>> App::unsure_jobs() {
  std::vector<Job> jobs;
  if (ended_cleanly()) return jobs;
  std::size_t bytes = 0;
  TRY(out_.outbox_ring.for_each_recent(kUnsureJobs,
                                       [&](const queue::Entry& entry, ByteView record) {
                                         auto job = decode_job(record);
                                         if (!job || bytes + record.size() > kUnsureBytes) return;
                                         bytes += record.size();
                                         if (journal_ && !out_.outbox_ring.find(entry.sequence))
                                           ended_.push_back(*job);
                                         jobs.push_back(std::move(*job));
                                       }));
  return jobs;
}

/// What is said goes into the journal too; first what a power cut has kept from it.
void App::build_journal() {
  if (!journal_) return;
  recorder_ = std::make_unique<api::Recorder>(
      api::Recorder::Outside{*journal_, [this](const std::string& chat) {
                               return chat_ ? chat_->identities().account_of(chat) : chat;
                             }});
  std::set<std::string_view> told;
  for (const std::string& notification : latest_) told.insert(outgoing_id(notification));
  // One of which nothing was told may have been taken back.
  for (const Job& job : std::exchange(ended_, {})) {
    if (told.contains(job.id)) recorder_->catch_up(job);
  }
  for (const std::string& notification : std::exchange(latest_, {})) {
    recorder_->catch_up(notification);
  }
  outbox_->on_change({[this](const Job& job) { recorder_->on_job(job); },
                      [this](const Job& job) { recorder_->on_replaced(job); },
                      [this](const Job& job) { recorder_->on_dropped(job); },
                      [this] { recorder_->on_cleared(); }});
}

}  // namespace posthorn::daemon
