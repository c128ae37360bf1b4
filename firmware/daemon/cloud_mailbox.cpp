#include "daemon/cloud_mailbox.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/json_ascii.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {
namespace {

constexpr std::size_t kLoadedAtMost = 16;
constexpr std::size_t kReadBytes = std::size_t{64} << 10;

std::uint32_t receipt_id_of(queue::Sequence sequence) {
  return static_cast<std::uint32_t>(sequence & 0x7FFF'FFFFU);
}

}  // namespace

Result<void> CloudMailbox::open() {
  TRY(ring_.add_reader(kReader, 0));
  open_ = true;
  load();
  return {};
}

void CloudMailbox::close() {
  ring_.remove_reader(kReader);
  open_ = false;
  loaded_.clear();
  read_ = 0;
}

void CloudMailbox::on_stored() {
  if (open_ && loaded_.empty()) load();
}

void CloudMailbox::offer(std::string body, std::function<void()> taken) {
  if (!open_) return;
  constexpr std::uint32_t kNoSequence = 0x8000'0000U;
  const bool was_empty = loaded_.empty();
  // Of those that nobody has heard of only the newest counts; the first may be on its way.
  if (!was_empty) {
    loaded_.erase(std::remove_if(loaded_.begin() + 1, loaded_.end(),
                                 [](const Loaded& one) { return one.taken != nullptr; }),
                  loaded_.end());
  }
  loaded_.push_back({0, std::move(body), kNoSequence | ++offered_, std::move(taken)});
  if (was_empty && listener_) listener_();
}

void CloudMailbox::load() {
  if (!open_ || loading_ || loaded_.size() >= kLoadedAtMost) return;
  loading_ = true;
  ring_.read(kReader, read_, kReadBytes,
             alive_.bind([this](const Result<queue::RingFile::Reading>& reading) {
               loading_ = false;
               if (!open_) return;
               if (reading) return on_read(*reading);
               log::warn("cloud", "the inbox cannot be read", {{"error", reading.error()}});
             }));
}

void CloudMailbox::on_read(const queue::RingFile::Reading& reading) {
  if (reading.lost > 0) {
    log::warn("cloud", "webhooks of the official API's form were lost: the inbox was too small",
              {{"count", reading.lost}});
  }
  const bool was_empty = loaded_.empty();
  for (const auto& [entry, body] : reading.entries) {
    if (entry.sequence <= read_) continue;
    read_ = entry.sequence;
    const auto notification = json::parse(as_text(body));
    if (!notification) continue;
    if (const auto webhook = cloud::webhook_of(*notification, context_())) {
      loaded_.push_back(
          {entry.sequence, json::write_ascii(*webhook), receipt_id_of(entry.sequence)});
    }
  }
  if (loaded_.empty()) {
    // All of it has no form there: done with it.
    if (reading.position > 0) ring_.advance(kReader, reading.position);
    read_ = std::max(read_, reading.position);
    if (!reading.entries.empty()) load();
    return;
  }
  if (was_empty && listener_) listener_();
}

std::optional<webhooks::Mailbox::Head> CloudMailbox::head(std::size_t ahead) {
  if (loaded_.size() <= ahead) {
    load();
    return std::nullopt;
  }
  return Head{loaded_[ahead].receipt_id, loaded_[ahead].body};
}

std::size_t CloudMailbox::again(const std::vector<Head>& heads) {
  if (!open_) return 0;  // there is no callback: they stay listed
  const bool was_empty = loaded_.empty();
  std::size_t taken_up = 0;
  for (const Head& head : heads) {
    const bool there = std::any_of(loaded_.begin(), loaded_.end(), [&head](const Loaded& one) {
      return one.sequence == 0 && one.receipt_id == head.receipt_id && one.body == head.body;
    });
    if (there) continue;
    loaded_.push_back({0, head.body, head.receipt_id});
    ++taken_up;
  }
  if (was_empty && !loaded_.empty() && listener_) listener_();
  return taken_up;
}

void CloudMailbox::remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) {
  const bool found = !loaded_.empty() && loaded_.front().receipt_id == receipt_id;
  if (found) {
    const Loaded gone = std::move(loaded_.front());
    loaded_.pop_front();
    if (gone.sequence > 0) {
      ring_.advance(kReader, gone.sequence);
    } else if (gone.taken) {
      gone.taken();
    } else {
      refused_.remove({{gone.receipt_id, gone.body}}, [](const Result<void>& removed) {
        if (removed) return;
        log::warn("cloud", "a webhook that was taken stays on the list of refused ones",
                  {{"error", removed.error()}});
      });
    }
    if (loaded_.empty()) load();
  }
  // The position rides with the next sync: after a power cut a few come twice, none is missing.
  scheduler_.post([found, done = std::move(done)]() mutable { done(found); });
}

/// First onto the list, then past it: a cut between the two leaves it in both.
void CloudMailbox::set_aside(const Head& head, const Refusal& refusal,
                             Once<void(Result<bool>)> done) {
  log::warn("cloud", "the receiver of webhooks refuses one: see getRefusedNotifications",
            {{"status", refusal.status}, {"times", refusal.times}});
  if (!loaded_.empty() && loaded_.front().sequence == 0 && !loaded_.front().taken) {
    loaded_.pop_front();  // it is on the list
    if (loaded_.empty()) load();
    scheduler_.post([done = std::move(done)]() mutable { done(true); });
    return;
  }
  refused_.add(
      head, refusal,
      [self = alive_.weak(), id = head.receipt_id,
       done = std::move(done)](Result<void> kept) mutable {
        CloudMailbox* me = self.get();
        if (!kept) return done(tl::unexpected(std::move(kept.error())));
        if (me == nullptr) return done(fail(Errc::cancelled, "shutting down"));
        me->remove(id, std::move(done));
      },
      RefusedList::kCloud);
}

}  // namespace posthorn::daemon
