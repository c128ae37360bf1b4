#pragma once

#include <memory>
#include <string>
#include <vector>

#include "meter.h"

namespace posthorn::bench {

/// Something that keeps a message durably and later marks it done. Used by one thread at a time.
class Rival {
 public:
  virtual ~Rival() = default;
  /// Returns when the message would survive a power cut.
  virtual void accept(std::uint64_t id) = 0;
  virtual void done(std::uint64_t id) = 0;
};

/// Preallocated file, one record per write. The limit: nothing that promises as much can do less.
enum class RawMode : std::uint8_t {
  direct_one_sync,     ///< O_DIRECT, 1 KiB (message and done of the one before), one sync
  buffered_one_sync,   ///< the same through the page cache
  buffered_two_syncs,  ///< a plain log: message, sync; done, sync
};
[[nodiscard]] std::unique_ptr<Rival> make_raw(const std::string& folder, RawMode mode);
enum class SqliteMode : std::uint8_t { wal_full, rollback };
[[nodiscard]] std::unique_ptr<Rival> make_sqlite(const std::string& folder, SqliteMode mode);
[[nodiscard]] std::unique_ptr<Rival> make_lmdb(const std::string& folder);

/// `posters` threads, each accept then done, in turn behind one lock, for about `seconds`.
[[nodiscard]] Sample measure(Rival& rival, DeviceCounters& counters, int posters, double seconds);

/// The ring behind the real loop and worker: `posters` closed loops of append, then ack.
[[nodiscard]] Sample measure_ring(const std::string& folder, bool buffered,
                                  DeviceCounters& counters, int posters, double seconds);

/// What it takes to open a ring in which so many entries wait.
struct Opening {
  double milliseconds = 0;
  double heap_mib = 0;  ///< in use afterwards
};
[[nodiscard]] Opening measure_opening(const std::string& folder, int entries);

/// How long a loop was kept from a timer at worst, with so many posters on a disk whose every sync
/// takes 500 ms; and the same loop without a queue, because the machine has pauses of its own.
struct LoopKept {
  double with_ms = 0;
  double without_ms = 0;
  std::uint64_t confirmed = 0;
};
[[nodiscard]] LoopKept measure_loop_kept(const std::string& folder, int posters, double seconds);

}  // namespace posthorn::bench
