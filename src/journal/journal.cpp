#include "posthorn/journal/journal.h"

#include <algorithm>
#include <deque>
#include <functional>

#include "journal/tables.h"
#include "posthorn/base/log.h"

namespace posthorn::journal {

namespace {

/// Changes that wait together for one transaction.
constexpr std::size_t kFlushAt = 256;
/// Of a disk that takes nothing: above it the oldest changes go.
constexpr std::size_t kWaitingMost = 4096;
constexpr std::size_t kWaitingBytesMost = std::size_t{4} << 20;
/// "sent", "delivered" and "read" come close together and change one row.
constexpr seconds kFlushAfter{5};
constexpr seconds kRetryAfter{10};
constexpr seconds kPruneAgain{1};
constexpr hours kLook{1};
/// A chat may fill so much of it.
constexpr std::uint64_t kChatPart = 4;

/// How far a message of ours has come; 0: not further than the queue.
int progress(Status status) {
  switch (status) {
    case Status::sent:
      return 1;
    case Status::delivered:
      return 2;
    case Status::read:
      return 3;
    case Status::none:
    case Status::pending:
    case Status::failed:
    case Status::no_account:
    case Status::not_in_group:
    case Status::yellow_card:
      break;
  }
  return 0;
}

}  // namespace

bool follows(Status next, Status before) {
  if (next == before || next == Status::none) return false;
  if (progress(next) > 0) return progress(next) > progress(before);
  if (next == Status::pending) return before == Status::none;
  return progress(before) == 0;
}

class Journal::Impl {
 public:
  using Change = std::function<Result<void>(Tables&)>;

  Impl(store::Database& database, Scheduler& scheduler, const Clock& clock, Options options)
      : db_(database),
        clock_(clock),
        options_(options),
        tables_(database),
        flush_timer_(scheduler),
        look_timer_(scheduler) {}

  Result<void> open() {
    TRY(tables_.prepare());
    look();
    return {};
  }

  void change(Change change, std::size_t bytes = 0) {
    waiting_.push_back({std::move(change), bytes});
    waiting_bytes_ += bytes;
    // A disk that has just refused is asked again by the timer only.
    if (waiting_.size() >= kFlushAt && !complained_ && flush()) return;
    bound_waiting();
    if (!flush_timer_.active()) flush_timer_.start(kFlushAfter, [this] { (void)flush(); });
  }

  Result<void> flush() {
    flush_timer_.stop();
    if (waiting_.empty()) return {};
    // Somebody else's transaction may be rolled back, and these changes with it.
    if (db_.in_transaction()) {
      flush_timer_.start(milliseconds(0), [this] { (void)flush(); });
      return {};
    }
    auto written = write();
    if (written) {
      waiting_.clear();
      waiting_bytes_ = 0;
      complained_ = false;
      return {};
    }
    if (auto reloaded = tables_.reload(); !reloaded) written = std::move(reloaded);
    if (!std::exchange(complained_, true)) {
      log::error("journal", "cannot be written, its changes wait", {{"error", written.error()}});
    }
    bound_waiting();
    flush_timer_.start(kRetryAfter, [this] { (void)flush(); });
    return written;
  }

  Tables& read() {
    (void)flush();
    return tables_;
  }

  Tables& written() { return tables_; }

  /// When it is kept from. A message that comes late counts from its coming; a clock that only
  /// guesses is older than the server's word.
  [[nodiscard]] std::int64_t kept_at(const Entry& entry) const {
    const Wall now = clock_.now();
    return now.trusted ? now.unix_seconds() : std::max(now.unix_seconds(), entry.at.unix_seconds());
  }

  [[nodiscard]] std::uint64_t bytes() const { return tables_.bytes(); }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  struct Waiting {
    Change change;
    std::size_t bytes = 0;
  };

  Result<void> write() {
    TRY(store::Transaction transaction, db_.begin());
    for (Waiting& one : waiting_) TRY(one.change(tables_));
    TRY(prune());
    return transaction.commit();
  }

  Result<void> prune() {
    const Wall now = clock_.now();
    // A clock that only guesses must not make messages old.
    const std::int64_t before =
        now.trusted ? (now - options_.keep).unix_seconds() : std::int64_t{INT64_MIN};
    TRY(const bool done,
        tables_.prune(before, options_.limit_bytes, options_.limit_bytes / kChatPart));
    if (!done) look_timer_.start(kPruneAgain, [this] { look(); });
    return {};
  }

  /// What grows old while nothing is said.
  void look() {
    look_timer_.start(kLook, [this] { look(); });
    const auto looked = [this]() -> Result<void> {
      TRY(store::Transaction transaction, db_.begin());
      TRY(prune());
      return transaction.commit();
    };
    if (const auto result = looked(); !result) {
      (void)tables_.reload();
      log::warn("journal", "what is old could not be taken out", {{"error", result.error()}});
    }
  }

  void bound_waiting() {
    while (waiting_.size() > kWaitingMost || waiting_bytes_ > kWaitingBytesMost) {
      waiting_bytes_ -= waiting_.front().bytes;
      waiting_.pop_front();
      ++lost_;
    }
  }

  store::Database& db_;
  const Clock& clock_;
  Options options_;
  Tables tables_;
  std::deque<Waiting> waiting_;  ///< oldest first
  std::size_t waiting_bytes_ = 0;
  std::uint64_t lost_ = 0;
  bool complained_ = false;
  Timer flush_timer_;
  Timer look_timer_;
};

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() { (void)impl_->flush(); }

Result<std::unique_ptr<Journal>> Journal::open(store::Database& database, Scheduler& scheduler,
                                               const Clock& clock, Options options) {
  auto impl = std::make_unique<Impl>(database, scheduler, clock, options);
  TRY(impl->open());
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

void Journal::add(Entry entry) {
  if (entry.body.size() > kBodyMost) {
    log::warn("journal", "an entry is too long and is kept without what it says");
    entry.body.clear();
  }
  const std::size_t bytes = entry.body.size();
  const std::int64_t kept = impl_->kept_at(entry);
  impl_->change(
      [entry = std::move(entry), kept](Tables& tables) { return tables.add(entry, kept); }, bytes);
}

void Journal::set_status(const std::string& chat, const std::string& id, Status status,
                         std::optional<Wall> at) {
  impl_->change([=](Tables& tables) { return tables.set_status(chat, id, status, at); });
}

void Journal::set_body(const std::string& chat, const std::string& id, std::string body) {
  const std::size_t bytes = body.size();
  impl_->change([chat, id, body = std::move(body)](
                    Tables& tables) { return tables.set_body(chat, id, body); },
                bytes);
}

void Journal::edit(const std::string& chat, const std::string& id, std::string text, May may) {
  const std::size_t bytes = text.size();
  impl_->change([chat, id, text = std::move(text),
                 may = std::move(may)](Tables& tables) { return tables.edit(chat, id, text, may); },
                bytes);
}

void Journal::mark_deleted(const std::string& chat, const std::string& id, Reduce reduce, May may) {
  impl_->change([=](Tables& tables) { return tables.mark_deleted(chat, id, reduce, may); });
}

void Journal::forget_pending() {
  impl_->change([](Tables& tables) { return tables.forget_pending(); });
}

void Journal::forget(const std::string& chat, const std::string& id) {
  impl_->change([=](Tables& tables) { return tables.forget(chat, id); });
}

void Journal::join(const std::string& from, const std::string& into) {
  impl_->change([=](Tables& tables) { return tables.join(from, into); });
}

void Journal::belong_to(const std::string& account) {
  impl_->change([=](Tables& tables) { return tables.belong_to(account); });
}

Result<void> Journal::flush() { return impl_->flush(); }

Result<std::optional<Entry>> Journal::find(const std::string& chat, const std::string& id) {
  return impl_->read().find(chat, id);
}

Result<std::optional<Entry>> Journal::find(const std::string& id) { return impl_->read().find(id); }

Result<std::vector<Entry>> Journal::next(const Query& query, Position& position,
                                         std::size_t count) {
  return impl_->read().next(query, position, count);
}

Result<std::optional<Entry>> Journal::find_written(const std::string& chat, const std::string& id) {
  return impl_->written().find(chat, id);
}

Result<bool> Journal::any_external() { return impl_->read().any_external(); }

Result<bool> Journal::knows(const std::string& chat) { return impl_->read().knows(chat); }

Result<std::vector<Entry>> Journal::pending(std::size_t count) {
  return impl_->read().pending(count);
}

std::uint64_t Journal::bytes() const { return impl_->bytes(); }
std::uint64_t Journal::lost() const { return impl_->lost(); }

}  // namespace posthorn::journal
