#pragma once

#include <cstdint>
#include <map>

#include "posthorn/base/result.h"
#include "posthorn/signal/key_store.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// How far what leaves the box may run ahead of the disk.
///
/// A ratchet must never step back over a number that has left the box, but where exactly it stands
/// need not be on disk: it is enough to know that no chain is more than kAhead messages further
/// than what is. So every record names the life of the program that wrote it, and whoever loads one
/// of a life that did not end cleanly goes kAhead numbers on before he uses it (signal::Protocol
/// does; the other side keeps the keys of numbers that never come).
///
/// - A message may leave while every chain has run fewer than kAhead numbers since the last sync;
///   at half of it a sync begins, for which nobody waits.
/// - A chain that began by what was received must be on disk before it is used: the other side goes
///   on from it. What a bundle began need not: a session that is lost is begun anew, under new
///   keys.
/// - A chain that went on by kAhead numbers has used up what it may: it must be on disk before the
///   message leaves, or the life after would begin with the same number.
/// - In each life the first message waits for a sync, so that the next life knows of this one.
/// - When SQLite loses what waited to be written, a new life begins at once.
class Lease {
 public:
  /// signal::kRunAhead, which a test compares.
  static constexpr unsigned kAhead = 64;

  explicit Lease(Database& database) : database_(database) {}

  /// life: of this start. Reads whether the one before ended cleanly and writes down what is exact
  /// from now on. Errors: io, full.
  Result<void> start(std::int64_t life);
  /// The life is over and all of it is committed. Errors: io, full.
  Result<void> end();

  [[nodiscard]] std::uint64_t life();
  /// Records of this and later lives are exact.
  [[nodiscard]] std::uint64_t exact_since();

  /// A record was saved; of a sender key: the group and our device. at_once: it must be on disk
  /// before anything leaves, since what the other side sent may have begun a chain, or one went on
  /// by kAhead numbers.
  void step(const signal::Address& address, bool at_once);
  [[nodiscard]] bool may_leave();
  [[nodiscard]] bool wants_sync() const { return !syncing_ && ahead_ >= kAhead / 2; }

  /// Around a sync. Errors of the first: io, full.
  Result<void> before_sync();
  void on_synced(bool on_disk);

 private:
  void notice_losses();
  Result<void> save();

  Database& database_;
  std::int64_t life_ = 0;
  std::int64_t exact_since_ = 0;
  std::uint64_t losses_ = 0;  ///< of the database's groups, that this life knows of
  bool saved_ = true;         ///< life_ and exact_since_ are in the database
  bool granted_ = false;      ///< they are on disk
  bool syncing_ = false;
  std::map<signal::Address, unsigned> steps_;  ///< since the last sync began
  unsigned ahead_ = 0;                         ///< the most of these
  unsigned ahead_in_sync_ = 0;                 ///< the same before it began
};

}  // namespace posthorn::store
