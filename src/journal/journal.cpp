#include "posthorn/journal/journal.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>

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
/// What is kept of a new row's statuses until it is written.
constexpr std::size_t kStatusesOfNew = 8;
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
  struct NewRow {
    Entry entry;
    std::int64_t kept_at = 0;
    std::vector<std::pair<Status, std::optional<Wall>>> statuses;  ///< what became of it since
  };
  /// One of the two.
  struct Waiting {
    Change change;
    std::size_t bytes = 0;
    std::optional<NewRow> row;
  };

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

  /// Of all rows, or of many.
  void change_all(Change change) {
    rows_.clear();  // what comes later must not overtake it
    wait({std::move(change), 0, {}});
  }

  void change(const std::string& id, Change change, std::size_t bytes = 0) {
    rows_.erase(id);
    wait({std::move(change), bytes, {}});
  }

  void add(Entry entry) {
    if (is_waiting(entry.chat, entry.id)) return;
    const std::size_t bytes = entry.body.size();
    const std::int64_t kept = kept_at(entry);
    const std::string id = entry.id;
    wait({{}, bytes, NewRow{std::move(entry), kept, {}}});
    if (!waiting_.empty() && waiting_.back().row) rows_[id] = &*waiting_.back().row;
  }

  [[nodiscard]] bool is_waiting(const std::string& chat, const std::string& id) const {
    const auto row = rows_.find(id);
    return row != rows_.end() && row->second->entry.chat == chat;
  }

  /// Of a row that is not written yet: one write is for both. False: it is no such row.
  bool set_status_of_new(const std::string& chat, const std::string& id, Status status,
                         std::optional<Wall> at) {
    if (!is_waiting(chat, id)) return false;
    auto& statuses = rows_.find(id)->second->statuses;
    if (statuses.size() >= kStatusesOfNew) return false;
    statuses.emplace_back(status, at);
    return true;
  }

  void wait(Waiting one) {
    waiting_bytes_ += one.bytes;
    waiting_.push_back(std::move(one));
    // A disk that has just refused is asked again by the timer only.
    if (waiting_.size() >= kFlushAt && !complained_ && flush()) return;
    bound_waiting();
    if (!flush_timer_.active()) flush_timer_.start(kFlushAfter, [this] { (void)flush(); });
  }

  Result<void> flush() {
    flush_timer_.stop();
    look_at_group();
    if (waiting_.empty()) return {};
    // Somebody else's transaction may be rolled back, and these changes with it.
    if (db_.in_transaction()) {
      flush_timer_.start(milliseconds(0), [this] { (void)flush(); });
      return {};
    }
    auto written = write();
    if (written) {
      rows_.clear();
      for (Waiting& one : waiting_) in_group_.push_back(std::move(one));
      in_group_bytes_ += waiting_bytes_;
      // What falls out is in the tables all the same, and lost only with the group.
      while (in_group_.size() > kWaitingMost || in_group_bytes_ > kWaitingBytesMost) {
        in_group_bytes_ -= in_group_.front().bytes;
        in_group_.pop_front();
      }
      group_ = {db_.commits(), db_.group()};
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
  /// What waited for a commit is written now, or comes again because the database has lost it.
  void look_at_group() {
    if (in_group_.empty()) return;
    if (db_.lost_group() == group_.number && group_.number != 0) {
      rows_.clear();
      in_group_bytes_ = 0;
      for (; !in_group_.empty(); in_group_.pop_back()) {
        waiting_bytes_ += in_group_.back().bytes;
        waiting_.push_front(std::move(in_group_.back()));
      }
      if (auto reloaded = tables_.reload(); !reloaded) {
        log::warn("journal", "cannot be read", {{"error", reloaded.error()}});
      }
      bound_waiting();
    } else if (db_.commits() != group_.commits) {
      in_group_.clear();
      in_group_bytes_ = 0;
    }
  }

  /// With the next commit: a message's own pages, and the indexes' pages of many rows, go once.
  Result<void> write() {
    TRY(store::Transaction transaction, db_.begin(store::WrittenBy::the_next));
    for (Waiting& one : waiting_) TRY(one.row ? add_row(*one.row) : one.change(tables_));
    TRY(prune());
    return transaction.commit();
  }

  Result<void> add_row(const NewRow& row) {
    Entry entry = row.entry;
    for (const auto& [status, at] : row.statuses) {
      if (!follows(status, entry.status)) continue;
      entry.status = status;
      entry.at = at.value_or(entry.at);
    }
    TRY(const bool added, tables_.add(entry, row.kept_at));
    if (added) return {};
    for (const auto& [status, at] : row.statuses) {
      TRY(tables_.set_status(entry.chat, entry.id, status, at));
    }
    return {};
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
    if (waiting_.size() <= kWaitingMost && waiting_bytes_ <= kWaitingBytesMost) return;
    rows_.clear();
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
  /// The rows among them, by id, with no other change of theirs behind them.
  std::unordered_map<std::string, NewRow*> rows_;
  std::size_t waiting_bytes_ = 0;
  std::deque<Waiting> in_group_;  ///< in the tables, and in the database with its next commit
  std::size_t in_group_bytes_ = 0;
  struct Group {
    std::uint64_t commits = 0;  ///< of the database, when they went there
    std::uint64_t number = 0;   ///< Database::group() then
  } group_;
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
  impl_->add(std::move(entry));
}

void Journal::set_status(const std::string& chat, const std::string& id, Status status,
                         std::optional<Wall> at) {
  if (impl_->set_status_of_new(chat, id, status, at)) return;
  impl_->change(id, [=](Tables& tables) { return tables.set_status(chat, id, status, at); });
}

void Journal::set_body(const std::string& chat, const std::string& id, std::string body) {
  const std::size_t bytes = body.size();
  impl_->change(
      id,
      [chat, id, body = std::move(body)](Tables& tables) {
        return tables.set_body(chat, id, body);
      },
      bytes);
}

void Journal::edit(const std::string& chat, const std::string& id, std::string text, May may) {
  const std::size_t bytes = text.size();
  impl_->change(
      id,
      [chat, id, text = std::move(text), may = std::move(may)](Tables& tables) {
        return tables.edit(chat, id, text, may);
      },
      bytes);
}

void Journal::mark_deleted(const std::string& chat, const std::string& id, Reduce reduce, May may) {
  impl_->change(id, [=](Tables& tables) { return tables.mark_deleted(chat, id, reduce, may); });
}

void Journal::forget_pending() {
  impl_->change_all([](Tables& tables) { return tables.forget_pending(); });
}

void Journal::forget(const std::string& chat, const std::string& id) {
  impl_->change(id, [=](Tables& tables) { return tables.forget(chat, id); });
}

void Journal::join(const std::string& from, const std::string& into) {
  impl_->change_all([=](Tables& tables) { return tables.join(from, into); });
}

void Journal::belong_to(const std::string& account) {
  impl_->change_all([=](Tables& tables) { return tables.belong_to(account); });
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

Result<std::vector<Entry>> Journal::oldest(const std::string& chat, std::size_t count) {
  return impl_->read().oldest(chat, count);
}

Result<bool> Journal::knows(const std::string& chat) { return impl_->read().knows(chat); }

Result<std::vector<Entry>> Journal::pending(std::size_t count) {
  return impl_->read().pending(count);
}

std::uint64_t Journal::bytes() const { return impl_->bytes(); }
std::uint64_t Journal::lost() const { return impl_->lost(); }

}  // namespace posthorn::journal
