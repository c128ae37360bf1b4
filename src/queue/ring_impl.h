#pragma once

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "posthorn/queue/ring_file.h"
#include "queue/batch.h"
#include "queue/end_note.h"
#include "queue/named_readers.h"
#include "queue/payload_cache.h"
#include "queue/recover.h"

namespace posthorn::queue {

/// An opened file before anything runs.
struct OpenedRing {
  std::unique_ptr<DiskFile> file;
  Geometry geometry;
  Recovered state;
  std::shared_ptr<EndNote> note;  ///< shared with work in flight
};

/// Opens, creates, sets aside, repairs or migrates: whatever brings `options.path` to a ring of
/// `options.bytes`. Errors: as RingFile::open.
[[nodiscard]] Result<OpenedRing> open_ring(Disk& disk, Random& random,
                                           const RingFile::Options& options);

class RingFile::Impl : public std::enable_shared_from_this<RingFile::Impl> {
 public:
  Impl(Scheduler& scheduler, Worker& worker, Options options, OpenedRing opened);

  void append(Batch::NewEntry entry, Once<void(Result<Sequence>)> done);
  void peek(Sequence sequence, Once<void(Result<Bytes>)> done);
  void ack(Sequence sequence);
  void flush(Once<void(Result<void>)> done);
  void end(Once<void(Result<void>)> done);
  Result<void> for_each_pending(const std::function<void(const Entry&, ByteView)>& visit);
  Result<void> for_each_recent(std::uint64_t at_most,
                               const std::function<void(const Entry&, ByteView)>& visit);
  [[nodiscard]] RingStatus status() const;

  // Named readers (ring_readers.cpp).
  Result<void> add_reader(const std::string& name, std::uint32_t most_behind);
  void remove_reader(const std::string& name);
  [[nodiscard]] std::vector<ReaderStatus> readers() const;
  void read(const std::string& name, Sequence after, std::size_t most_bytes,
            Once<void(Result<Reading>)> done);
  void read_latest(Sequence after, std::size_t most_bytes, Once<void(Result<Reading>)> done);
  void advance(const std::string& name, Sequence position);
  [[nodiscard]] Sequence newest() const { return newest_; }

  /// Answers everybody; what is in flight ends unseen.
  void close();

  [[nodiscard]] const Index& index() const { return index_; }
  [[nodiscard]] const Geometry& geometry() const { return geometry_; }
  [[nodiscard]] const Recovery& recovery() const { return recovery_; }
  void on_dropped(std::function<void(const Entry&, Loss)> listener) {
    on_dropped_ = std::move(listener);
  }

 private:
  struct Waiting {
    Batch::NewEntry entry;
    Once<void(Result<Sequence>)> done;
  };
  static constexpr std::size_t kReadAheadBytes = std::size_t{16} * 1024;
  using Answers = std::vector<Once<void(Result<Sequence>)>>;
  using Flushes = std::vector<Once<void(Result<void>)>>;

  // Making room (ring_impl.cpp).
  [[nodiscard]] bool make_room(std::uint64_t bytes, Owner owner);
  void limit_owner(std::uint64_t bytes, Owner owner);
  [[nodiscard]] const Index::Slot* next_to_drop() const;
  void drop(const Index::Slot& slot);
  bool retire(Sequence sequence);
  void give_up(Sequence sequence);
  void lose(Entry entry, Loss loss);

  // Planning a batch (ring_plan.cpp).
  [[nodiscard]] std::shared_ptr<Batch> plan();
  void plan_acks(Batch& batch, std::uint64_t room_bytes);
  void plan_entries(Batch& batch, std::uint64_t room_bytes);
  void plan_moves(Batch& batch, std::uint64_t room_bytes);
  void skip_to_start_if_cramped();
  [[nodiscard]] std::uint64_t free_blocks() const { return log_.free_blocks(geometry_); }
  [[nodiscard]] std::uint64_t blocks_to_end() const;
  [[nodiscard]] bool room_is_short(std::uint64_t blocks_taken) const;

  // Named readers (ring_readers.cpp).
  using Places = std::deque<std::pair<Sequence, std::uint64_t>>;  ///< sequence, block of its batch
  struct ReaderSlot {
    NamedReader reader;
    std::uint64_t lost = 0;
    /// What read() handed out last: where that stands, and what is lost before it.
    std::uint64_t handed_lost = 0;
    Places handed;
    Sequence handed_position = 0;
  };
  struct LogQuestion {
    std::uint64_t from = 0;  ///< logical block
    Sequence since = 0;
    std::uint32_t most_behind = 0;
    std::size_t most_bytes = 0;
    LogPayloads payloads = LogPayloads::read;
  };
  struct LogAnswer {
    Reading reading;
    Places places;
    std::uint64_t next_block = 0;
  };
  [[nodiscard]] ReaderSlot* find_reader(const std::string& name);
  void readers_changed();
  [[nodiscard]] std::uint64_t oldest_block() const;
  [[nodiscard]] std::uint64_t used_between(Sequence first, Sequence last) const;
  void note_unused(Sequence begin, Sequence end);
  void find_latest(Sequence after, std::size_t most_bytes, Once<void(Result<Reading>)> done);
  void ask_log(LogQuestion question, Once<void(Result<LogAnswer>)> done);
  void answer_log(std::uint64_t id, const LogQuestion& question, Sequence newest, LogRead read);
  [[nodiscard]] bool readers_due() const;
  void plan_readers(Batch& batch, std::uint64_t room_bytes);
  [[nodiscard]] std::uint64_t readers_tail(std::uint64_t otherwise) const;
  void take_readers(const Batch& batch);

  // One batch after the other (ring_impl.cpp).
  void wake();
  void pump();
  [[nodiscard]] bool has_work() const;
  void on_batch_done(Batch& batch);
  void on_written(Batch& batch);
  [[nodiscard]] bool take_moves(const Batch& batch);
  void take_entries(Batch& batch);
  void on_failed(Batch& batch);
  void note_end(Once<void(Result<void>)> done);
  void refuse_waiting(const Error& why);
  void start_ack_timer();

  // Reading one entry, and what lies behind it (ring_look.cpp).
  [[nodiscard]] const Bytes* cached(Sequence sequence) const;
  [[nodiscard]] std::vector<Index::Slot> run_from(const Index::Slot& slot) const;
  void start_read(std::uint64_t peek, const Index::Slot& slot);
  void on_read(std::uint64_t peek, const Index::Slot& slot, Result<Bytes> payload);
  void keep_ahead(const std::vector<Index::Slot>& slots, std::vector<Result<Bytes>> payloads);
  void answer_peek(std::uint64_t peek, Result<Bytes> payload);

  Scheduler& scheduler_;
  Worker& worker_;
  Options options_;
  std::shared_ptr<DiskFile> file_;  // shared: a read or write in flight outlives the ring
  std::shared_ptr<EndNote> note_;   // likewise
  EndNote::End end_;                // the newest batch of this life
  Geometry geometry_;
  Index index_;
  LogState log_;
  Recovery recovery_;

  std::deque<Waiting> waiting_;
  std::vector<Sequence> acks_;
  Flushes flushes_;
  Answers answers_in_flight_;
  Flushes flushes_in_flight_;
  std::map<std::uint64_t, Once<void(Result<Bytes>)>> peeks_;
  std::uint64_t next_peek_ = 1;
  std::uint64_t unwritten_bytes_ = 0;  // records waiting and in flight
  bool in_flight_ = false;
  bool woken_ = false;
  bool acks_due_ = false;
  bool after_failure_ = false;  // the next batch must take the place of the one that failed
  bool left_waiting_ = false;   // the batch in flight had no room for all that waited
  bool closed_ = false;
  /// The device would not read this entry when it was to be moved. While it is the oldest, moving
  /// others would not make room; reading it once clears this.
  Sequence immovable_ = 0;
  Timer ack_timer_;

  /// Blocks written since an entry was last let in while others waited. Tidying makes room within
  /// two laps, or there is none to make.
  std::uint64_t futile_blocks_ = 0;

  /// The latest that were appended: an idle box sends at once and need not read back.
  PayloadCache recent_{std::size_t{64} * 1024};
  /// What lay behind the last one read: a backlog is taken out in order.
  PayloadCache ahead_{kReadAheadBytes};
  std::vector<ReaderSlot> readers_;
  /// Logical block of the batch that has the positions; nothing: there are none.
  std::optional<std::uint64_t> readers_place_;
  bool readers_dirty_ = false;  ///< a batch must take them along
  Places latest_;               ///< of the newest kLatest entries
  bool latest_known_ = false;   ///< as far as they were there before the start
  Sequence newest_ = 0;         ///< on disk
  std::deque<std::pair<Sequence, Sequence>> unused_;  ///< from, to (not included): failed writes
  std::map<std::uint64_t, Once<void(Result<LogAnswer>)>> log_reads_;
  RingStatus counts_;
  std::function<void(const Entry&, Loss)> on_dropped_;
};

}  // namespace posthorn::queue
