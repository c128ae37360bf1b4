#include "store/lease.h"

#include <algorithm>

#include "posthorn/base/log.h"

namespace posthorn::store {

namespace {

/// Devices with a step since the last sync: bounds the memory.
constexpr std::size_t kMostSteps = 1024;

Result<std::int64_t> counter(Database& database, const char* name) {
  Statement find(database, "SELECT value FROM counters WHERE name = ?1");
  Query query = find.query(name);
  TRY(const bool found, query.next());
  return found ? query.integer(0) : 0;
}

Result<void> save_counter(Database& database, const char* name, std::int64_t value) {
  Statement save(database,
                 "INSERT INTO counters VALUES (?1, ?2)"
                 " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  return save.run(name, value);
}

}  // namespace

Result<void> Lease::start(std::int64_t life) {
  life_ = life;
  losses_ = database_.groups_lost();
  TRY(const std::int64_t ended, counter(database_, "ended"));
  TRY(exact_since_, counter(database_, "exact_since"));
  const bool cleanly = ended != 0 && ended == life - 1;
  if (!cleanly) exact_since_ = life;
  return save();
}

Result<void> Lease::end() {
  notice_losses();
  if (!saved_) return fail(Errc::io, "what waited to be written was lost");
  return save_counter(database_, "ended", life_);
}

Result<void> Lease::save() {
  TRY(Transaction transaction, database_.begin());
  TRY(save_counter(database_, "starts", life_));
  TRY(save_counter(database_, "exact_since", exact_since_));
  TRY(transaction.commit());
  saved_ = true;
  return {};
}

void Lease::notice_losses() {
  if (database_.groups_lost() == losses_) return;
  losses_ = database_.groups_lost();
  exact_since_ = ++life_;
  saved_ = false;
  granted_ = false;
  log::warn("store", "records written before are not exact any more", {{"life", life_}});
}

std::uint64_t Lease::life() {
  notice_losses();
  return static_cast<std::uint64_t>(life_);
}

std::uint64_t Lease::exact_since() {
  notice_losses();
  return static_cast<std::uint64_t>(exact_since_);
}

void Lease::step(const signal::Address& address, bool at_once) {
  unsigned& steps = steps_[address];
  ++steps;
  ahead_ = std::max(ahead_, at_once || steps_.size() >= kMostSteps ? kAhead + 1 : steps);
}

bool Lease::may_leave() {
  notice_losses();
  return granted_ && ahead_ + ahead_in_sync_ <= kAhead;
}

Result<void> Lease::before_sync() {
  notice_losses();
  if (!saved_) TRY(save());
  syncing_ = true;
  steps_.clear();
  ahead_in_sync_ = std::exchange(ahead_, 0);
  return {};
}

void Lease::on_synced(bool on_disk) {
  syncing_ = false;
  if (!on_disk) {
    ahead_ = kAhead + 1;  // nobody leaves before one that is
    return;
  }
  ahead_in_sync_ = 0;
  granted_ = saved_;
}

}  // namespace posthorn::store
