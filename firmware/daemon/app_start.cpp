// What the rings tell when the program starts, of what the store may not know.
#include <set>
#include <utility>
#include <vector>

#include "daemon/app.h"
#include "posthorn/base/json.h"

namespace posthorn::daemon {

namespace {

/// Notifications looked at when the program starts: for statuses that were told, and for what the
/// store may not know of.
constexpr std::uint64_t kRecentNotifications = 4096;
/// Jobs of the outbox that may have left without the store's knowledge: two leases of 64.
constexpr std::uint64_t kUnsureJobs = 128;
constexpr std::size_t kUnsureBytes = std::size_t{512} << 10;

/// Notifications that a power cut can have kept from the journal: one batch and what came with it;
/// after a clean end only what was on its way.
constexpr std::size_t kCaughtUp = 1024;
constexpr std::size_t kOnTheirWay = 64;

/// The message id in a stored notification about a message that came in; empty: it is another.
std::string_view incoming_id(std::string_view notification) {
  const std::string_view type = json::peek(notification, "typeWebhook");
  if (type != "incomingMessageReceived" && type != "outgoingMessageReceived") return {};
  // What could not be read may still come, and is news then.
  if (json::peek(notification, "textMessage") == "{{SWE003}}") return {};
  return json::peek(notification, "idMessage");
}

/// The same about a message of ours.
std::string_view outgoing_id(std::string_view notification) {
  if (!json::peek(notification, "typeWebhook").starts_with("outgoing")) return {};
  return json::peek(notification, "idMessage");
}

}  // namespace

/// Reads what the inbox has told lately: ids of messages that came in, oldest first. The notifier
/// remembers the statuses among them.
Result<std::vector<std::string>> App::told_messages() {
  std::vector<std::string> ids;
  const std::size_t caught_up = ended_cleanly() ? kOnTheirWay : kCaughtUp;
  TRY(out_.inbox_ring.for_each_recent(kRecentNotifications,
                                      [&](const queue::Entry&, ByteView record) {
                                        const std::string_view notification = as_text(record);
                                        notifier_->remember(notification);
                                        if (journal_) latest_.emplace_back(notification);
                                        if (latest_.size() > caught_up) latest_.pop_front();
                                        if (const auto id = incoming_id(notification); !id.empty())
                                          ids.emplace_back(id);
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

bool App::was_sent(const std::string& chat, const std::string& id) {
  const auto earlier = chat_->earlier().find(chat, id);
  return earlier && *earlier && (*earlier)->sent_at;
}

/// What is said goes into the journal too; first what a power cut has kept from it.
void App::build_journal() {
  if (!journal_) return;
  recorder_ = std::make_unique<api::Recorder>(
      api::Recorder::Outside{*journal_,
                             [this](const std::string& chat) {
                               return chat_ ? chat_->identities().account_of(chat) : chat;
                             },
                             [this](const Job& job) { return quote_of(job); }});
  std::set<std::string_view> told;
  for (const std::string& notification : latest_) told.insert(outgoing_id(notification));
  // One that nobody told of and the store does not know as sent may have been taken back.
  for (const Job& job : std::exchange(ended_, {})) {
    if (told.contains(job.id) || was_sent(job.chat, job.id)) recorder_->catch_up(job);
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
