#include "daemon/inbox.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kLoadedAtMost = 16;
constexpr minutes kExpiryCheck{10};

/// Receipt ids are 31 bits wide: clients keep them in an int.
std::uint32_t receipt_id_of(queue::Sequence sequence) {
  return static_cast<std::uint32_t>(sequence & 0x7FFF'FFFFU);
}

}  // namespace

Inbox::Inbox(queue::RingFile& ring, Scheduler& scheduler, const Clock& clock, hours keep)
    : ring_(ring), clock_(clock), keep_(keep), expiry_(scheduler), status_timer_(scheduler) {
  expire();
}

Inbox::~Inbox() {
  for (Waiting& status : std::exchange(statuses_, {})) {
    status.stored(fail(Errc::cancelled, "shutting down"));
  }
}

void Inbox::append(std::string body, api::NotificationKind kind, Once<void(Result<void>)> stored) {
  if (kind == api::NotificationKind::status) {
    statuses_.push_back({std::move(body), std::move(stored)});
    if (!status_timer_.active()) status_timer_.start(kStatusDelay, [this] { write_statuses(); });
    return;
  }
  write_statuses();
  write(std::move(body),
        kind == api::NotificationKind::message ? queue::Worth::normal : queue::Worth::expendable,
        std::move(stored));
}

/// In one turn of the loop, so in one batch of the ring.
void Inbox::write_statuses() {
  status_timer_.stop();
  for (Waiting& status : std::exchange(statuses_, {})) {
    write(std::move(status.body), queue::Worth::expendable, std::move(status.stored));
  }
}

void Inbox::write(std::string body, queue::Worth worth, Once<void(Result<void>)> stored) {
  ring_.append(to_bytes(body), clock_.now(), worth,
               [this, stored = std::move(stored)](Result<queue::Sequence> sequence) mutable {
                 if (!sequence) {
                   stored(tl::unexpected(sequence.error()));
                   return;
                 }
                 stored({});
                 load();
               });
}

std::optional<api::InboxPort::Head> Inbox::head() {
  // Entries may leave the ring behind our back (expired, dropped when full).
  while (!loaded_.empty() && !ring_.find(loaded_.front().sequence)) loaded_.pop_front();
  if (loaded_.empty()) {
    load();
    return std::nullopt;
  }
  return Head{receipt_id_of(loaded_.front().sequence), loaded_.front().body};
}

std::size_t Inbox::count() const { return static_cast<std::size_t>(ring_.status().pending); }

void Inbox::load() {
  if (loading_ || loaded_.size() >= kLoadedAtMost) return;
  const auto next = loaded_.empty() ? ring_.first() : ring_.next(loaded_.back().sequence);
  if (!next) return;
  loading_ = true;
  ring_.peek(next->sequence, [this, sequence = next->sequence](Result<Bytes> body) {
    loading_ = false;
    if (!body && body.error().code == Errc::cancelled) return;
    if (body) {
      loaded_.push_back({sequence, to_string(*body)});
      if (loaded_.size() == 1 && listener_) listener_();
    } else if (body.error().code == Errc::io) {
      log::error("inbox", "a notification cannot be read", {{"error", body.error()}});
      return;  // the next append or poll tries again
    }
    load();
  });
}

void Inbox::remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) {
  for (auto entry = ring_.first(); entry; entry = ring_.next(entry->sequence)) {
    if (receipt_id_of(entry->sequence) != receipt_id) continue;
    ring_.ack(entry->sequence);
    std::erase_if(loaded_, [&](const Loaded& l) { return l.sequence == entry->sequence; });
    load();
    // The acknowledgement rides with the next sync: a notification that comes twice after a power
    // cut is what Green-API's own delivery allows, and its id tells.
    done(true);
    return;
  }
  done(false);
}

void Inbox::clear(Once<void(Result<void>)> done) {
  while (const auto entry = ring_.first()) ring_.ack(entry->sequence);
  loaded_.clear();
  ring_.flush(std::move(done));
}

void Inbox::expire() {
  const Wall now = clock_.now();
  if (now.trusted) {
    for (const queue::Entry& entry : ring_.accepted_before(now - keep_)) ring_.ack(entry.sequence);
  }
  expiry_.start(kExpiryCheck, [this] { expire(); });
}

std::optional<webhooks::Mailbox::Head> InboxMailbox::head() {
  auto head = inbox_.head();
  if (!head) return std::nullopt;
  return Head{head->receipt_id, std::move(head->body)};
}

void InboxMailbox::remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) {
  inbox_.remove(receipt_id, std::move(done));
}

}  // namespace posthorn::daemon
