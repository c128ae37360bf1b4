#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/time.h"
#include "posthorn/base/worker.h"
#include "posthorn/queue/disk.h"

namespace posthorn::queue {

/// Given at append, rising by at least 1, never used twice in one file, kept through restarts,
/// resizing and upgrades. 0 never occurs.
using Sequence = std::uint64_t;

/// Payloads are opaque. Larger things (media) go to files of their own.
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{256} * 1024;

/// Which of two pending entries goes first when a ring that may drop is full. Stored: do not
/// renumber.
enum class Worth : std::uint8_t {
  normal = 0,
  expendable = 1,  ///< dropped before any normal one (status notifications)
};

/// Whose room an entry takes, 1 .. kMaxOwner: a hash of whoever caused it. 0: nobody's. Two that
/// share a number share their room.
using Owner = std::uint16_t;
inline constexpr Owner kMaxOwner = 0x7FFF;

/// What an entry is worth and whose it is when a ring that may drop is full.
struct Label {
  Label() = default;
  Label(Worth w, Owner o = 0) : worth(w), owner(o) {}  // NOLINT: a worth alone is a label

  Worth worth = Worth::normal;
  Owner owner = 0;

  bool operator==(const Label&) const = default;
};

/// One pending entry: what the ring keeps in memory about it.
struct Entry {
  Sequence sequence = 0;
  std::uint32_t length = 0;  ///< of the payload, bytes
  Label label{};
  Wall accepted_at;  ///< as given to append

  bool operator==(const Entry&) const = default;
};

/// What an append to a full ring does.
enum class WhenFull : std::uint8_t {
  refuse,       ///< append fails with Errc::full; nothing pending is ever given up (outbox)
  drop_oldest,  ///< room is shared (inbox): one owner has at most half of it, and what he brings
                ///< beyond pushes out his own oldest. When all is full the oldest expendable entry
                ///< goes, then the oldest of whoever holds most, if that is over an eighth, then
                ///< the oldest of all; each is counted and told to on_dropped
};

/// What opening found. Counts of things that were lost are 0 on every healthy start, power cuts
/// included: what a cut takes was never confirmed, and is counted as torn.
struct Recovery {
  bool created = false;       ///< there was no file
  bool resized = false;       ///< the configured size changed; pending entries were carried over
  std::string set_aside;      ///< where an unusable file was moved to; empty: none was
  std::uint64_t pending = 0;  ///< entries recovered
  std::uint64_t torn =
      0;  ///< unreadable records in the last batch: a cut hit it while it was written
  std::uint64_t damaged = 0;   ///< unreadable records and batches elsewhere: the medium lost them
  std::vector<Sequence> lost;  ///< the sequences among them that are known, at most 64
  bool superblock_repaired = false;  ///< one of its two copies was unreadable

  bool operator==(const Recovery&) const = default;
};

/// How the ring is, for status, metrics and LED.
struct RingStatus {
  std::uint64_t capacity_bytes = 0;  ///< what pending entries may fill
  std::uint64_t used_bytes = 0;      ///< what they fill, with their headers
  std::uint64_t pending = 0;
  std::optional<Wall> oldest;  ///< accepted_at of the oldest pending entry
  std::uint64_t appended = 0;  ///< the counts since open
  std::uint64_t acknowledged = 0;
  std::uint64_t refused = 0;
  std::uint64_t dropped = 0;
  std::uint64_t syncs = 0;
  std::uint64_t moved = 0;       ///< old pending entries copied forward to make room
  std::uint64_t unreadable = 0;  ///< pending entries given up because the medium lost them
  std::optional<Error> fault;    ///< why the last write or sync failed; empty once one succeeds
};

/// A persistent queue in one preallocated file: append, peek, ack; nothing else removes an entry.
/// What append confirmed survives a power cut at any moment. src/queue/FORMAT.md specifies the file
/// and says why recovery is right.
///
/// Everything is called, and calls back, on the loop thread; writes, syncs and reads run on the
/// Worker, so the loop never waits for the disk after open(). No callback runs inside the call that
/// was given it. Dropping the RingFile answers what is open with Errc::cancelled.
class RingFile {
 public:
  struct Options {
    std::string path;
    std::uint64_t bytes =
        16ULL << 20;  ///< size of the file, 64 KiB .. 4 GiB; changing it migrates.
                      ///< At least 128 KiB where sectors have 4096 bytes
    WhenFull when_full = WhenFull::refuse;
    milliseconds ack_delay{
        2000};  ///< an acknowledgement waits at most this long for a sync to ride with
  };

  /// Opens or creates, recovers, and blocks meanwhile: for the start, before the loop runs, on any
  /// thread (several rings at once: the disk is what they wait for; scheduler and worker are not
  /// touched). An unusable file is set aside (Recovery::set_aside) and a fresh one made. The
  /// collaborators must outlive the ring. `random` gives a salt when a file is created, no more.
  /// Errors: io, full (no space for a new file); malformed (Options).
  [[nodiscard]] static Result<std::unique_ptr<RingFile>> open(Disk& disk, Scheduler& scheduler,
                                                              Worker& worker, Random& random,
                                                              Options options);
  ~RingFile();

  [[nodiscard]] const Recovery& recovery() const;

  /// Takes a payload of 0 .. kMaxPayloadBytes bytes (in small rings: a sixteenth of the file). done
  /// gets its sequence when it is on disk. All that is appended in one turn of the loop, and all
  /// that comes while a sync is under way, shares one write and one sync. Errors: full (nothing
  /// changed; retry after acks), io or full (disk; not stored as far as is known, and the sequence
  /// is not used again), malformed (too long), cancelled.
  void append(Bytes payload, Wall accepted_at, Label label, Once<void(Result<Sequence>)> done);
  void append(Bytes payload, Wall accepted_at, Once<void(Result<Sequence>)> done) {
    append(std::move(payload), accepted_at, Label(), std::move(done));
  }
  /// What a payload may have at most in this ring, bytes.
  [[nodiscard]] std::size_t max_payload() const;

  /// The oldest pending entry, and the next one after `sequence` (which need not be pending any
  /// more), in the order of acceptance. Confirmed entries only. From memory.
  [[nodiscard]] std::optional<Entry> first() const;
  [[nodiscard]] std::optional<Entry> next(Sequence sequence) const;
  /// nullopt: not pending.
  [[nodiscard]] std::optional<Entry> find(Sequence sequence) const;

  /// Reads a pending payload, from memory when it is young, else from disk on the Worker.
  /// Errors: not_found (not pending, also: acknowledged meanwhile), io (try again), malformed (the
  /// medium lost it: the entry is given up, counted in RingStatus::unreadable, told to on_dropped).
  void peek(Sequence sequence, Once<void(Result<Bytes>)> done);

  /// Named readers see every entry, pending or done, as long as it is physically there: nothing is
  /// kept for them and none of them holds up the queue. Each has a position of its own that
  /// survives restarts, and skips what it has fallen too far behind: counted, and told to it.
  static constexpr std::size_t kMaxReaders = 4;
  struct ReaderStatus {
    std::string name;
    Sequence position = 0;          ///< the last one it has done with
    std::uint64_t behind = 0;       ///< sequences after that one
    std::uint64_t lost = 0;         ///< sequences that it never saw, since open
    std::uint32_t most_behind = 0;  ///< its rule: it skips what is further back; 0: nothing
  };
  struct Reading {
    std::vector<std::pair<Entry, Bytes>> entries;  ///< in order
    /// Sequences up to the last of them that it will never see: overwritten, skipped by its rule,
    /// or lost by the medium. A number that a failed write used up may count, too.
    std::uint64_t lost = 0;
    Sequence position = 0;  ///< to be given to advance() when all of it is done
  };
  /// One that starts here and now, or the one of that name, with another rule. It is there for good
  /// after the next sync. Errors: full (kMaxReaders), malformed (name: 1 .. 16 of a-z, 0-9, "-").
  Result<void> add_reader(const std::string& name, std::uint32_t most_behind);
  void remove_reader(const std::string& name);
  [[nodiscard]] std::vector<ReaderStatus> readers() const;
  /// What comes after the reader's position, up to about `most_bytes` of payloads, at least one
  /// entry when there is one; or after `after`, where that is further. From disk, on the Worker.
  /// Errors: not_found (no such reader).
  void read(const std::string& reader, Sequence after, std::size_t most_bytes,
            Once<void(Result<Reading>)> done);
  /// The same for somebody without a name, among the newest kLatest entries only.
  static constexpr std::size_t kLatest = 100;
  void read_latest(Sequence after, std::size_t most_bytes, Once<void(Result<Reading>)> done);
  /// The reader has done with everything up to there, for good after the next sync. Never goes
  /// back.
  void advance(const std::string& reader, Sequence position);
  /// The newest sequence that is on disk; 0: none was ever given away.
  [[nodiscard]] Sequence newest() const;

  /// The entry is done: it is gone from first() and next() now and for good after the next sync. A
  /// power cut before that brings it back. Unknown sequences are ignored.
  void ack(Sequence sequence);

  /// Runs done when all that was appended and acknowledged so far is on disk.
  void flush(Once<void(Result<void>)> done);
  /// The same at the end of the program, and notes where the log ends: the next start need not
  /// search the file for it. Errors: as append.
  void end(Once<void(Result<void>)> done);

  /// Pending entries accepted before `limit`, oldest first: whoever owns the queue ends their life
  /// with a status and then an ack.
  [[nodiscard]] std::vector<Entry> accepted_before(Wall limit) const;

  /// Reads pending payloads in order. Blocks: for the start, to build a view. An unreadable one is
  /// given up as in peek. Errors: io.
  Result<void> for_each_pending(const std::function<void(const Entry&, ByteView)>& visit);
  /// Reads every payload that is physically still there, acknowledged or not, oldest first; one may
  /// come twice. Blocks: for the start, to seed the memory of message ids. `at_most`: the last so
  /// many sequences. Errors: io.
  Result<void> for_each_recent(std::uint64_t at_most,
                               const std::function<void(const Entry&, ByteView)>& visit);

  /// Tells of each pending entry that was dropped (WhenFull) or given up as unreadable (peek). Runs
  /// in a later turn. Those that opening found lost are in recovery().
  enum class Loss : std::uint8_t { dropped_when_full, unreadable };
  void on_dropped(std::function<void(const Entry&, Loss)> listener);

  [[nodiscard]] RingStatus status() const;

  RingFile(const RingFile&) = delete;
  RingFile& operator=(const RingFile&) = delete;

 private:
  class Impl;
  explicit RingFile(std::shared_ptr<Impl> impl);

  /// Shared with work in flight only, which finds it closed when the ring is gone.
  std::shared_ptr<Impl> impl_;
};

}  // namespace posthorn::queue
