#include "daemon/inbox.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/crypto.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kLoadedAtMost = 16;
constexpr minutes kExpiryCheck{10};

/// A chat's number in the ring: two that share one share their room, which costs nothing else.
queue::Owner owner_of(const std::string& chat) {
  if (chat.empty()) return 0;
  const crypto::Sha256 digest = crypto::sha256(as_bytes(chat));
  const unsigned number =
      std::to_integer<unsigned>(digest[0]) << 8U | std::to_integer<unsigned>(digest[1]);
  return static_cast<queue::Owner>(1 + number % queue::kMaxOwner);
}

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
  *alive_ = false;
  const auto cancel = [](Waiting& one) { one.stored(fail(Errc::cancelled, "shutting down")); };
  for (Waiting& one : std::exchange(to_write_, {})) cancel(one);
  for (Waiting& one : std::exchange(statuses_, {})) cancel(one);
}

void Inbox::append(api::InboxItem item, Once<void(Result<void>)> stored) {
  if (item.kind == api::NotificationKind::status) {
    statuses_.push_back({std::move(item), std::move(stored)});
    if (!status_timer_.active()) status_timer_.start(kStatusDelay, [this] { write_statuses(); });
    return;
  }
  write_statuses();
  to_write_.push_back({std::move(item), std::move(stored)});
  write_waiting();
}

/// In one turn of the loop, so in one batch of the ring.
void Inbox::write_statuses() {
  status_timer_.stop();
  for (Waiting& status : std::exchange(statuses_, {})) to_write_.push_back(std::move(status));
  write_waiting();
}

void Inbox::write_waiting() {
  const std::uint64_t at_most = ring_.status().capacity_bytes / 16;
  while (!to_write_.empty()) {
    const std::size_t bytes = to_write_.front().item.body.size();
    if (unwritten_ > 0 && unwritten_ + bytes > at_most) return;
    Waiting next = std::move(to_write_.front());
    to_write_.pop_front();
    unwritten_ += bytes;
    const queue::Label label(next.item.kind == api::NotificationKind::message
                                 ? queue::Worth::normal
                                 : queue::Worth::expendable,
                             owner_of(next.item.chat));
    ring_.append(to_bytes(next.item.body), clock_.now(), label,
                 [this, alive = alive_, bytes,
                  stored = std::move(next.stored)](Result<queue::Sequence> sequence) mutable {
                   stored(sequence ? Result<void>() : tl::unexpected(sequence.error()));
                   if (*alive) on_written(bytes);
                 });
  }
}

void Inbox::on_written(std::size_t bytes) {
  unwritten_ -= bytes;
  if (stored_listener_) stored_listener_();
  load();
  write_waiting();
}

std::optional<api::InboxPort::Head> Inbox::head(std::size_t ahead) {
  // Entries may leave the ring behind our back (expired, dropped when full).
  std::erase_if(loaded_, [this](const Loaded& one) { return !ring_.find(one.sequence); });
  if (loaded_.size() <= ahead) {
    load();
    return std::nullopt;
  }
  return Head{receipt_id_of(loaded_[ahead].sequence), loaded_[ahead].body};
}

std::size_t Inbox::count() const { return static_cast<std::size_t>(ring_.status().pending); }

void Inbox::load() {
  if (loading_ || loaded_.size() >= kLoadedAtMost) return;
  const auto next = loaded_.empty() ? ring_.first() : ring_.next(loaded_.back().sequence);
  if (!next) return;
  loading_ = true;
  ring_.peek(next->sequence, [this, alive = alive_, sequence = next->sequence](Result<Bytes> body) {
    if (!*alive) return;
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
    for (const queue::Entry& entry : ring_.accepted_before(now - keep_)) {
      // What was stamped before anybody knew the time has an unknown age: the ring's room bounds
      // it.
      if (entry.accepted_at.trusted) ring_.ack(entry.sequence);
    }
  }
  expiry_.start(kExpiryCheck, [this] { expire(); });
}

}  // namespace posthorn::daemon
