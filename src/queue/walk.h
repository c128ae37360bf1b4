#pragma once

#include <optional>
#include <vector>

#include "queue/index.h"
#include "queue/reader.h"

namespace posthorn::queue {

/// A walk over the log, batch by batch, that steps over what is damaged. Recovery and the look back
/// at acknowledged entries are its two users.
class LogVisitor {
 public:
  virtual ~LogVisitor() = default;

  /// A batch header, before the batch's records. `after_gap`: there were unreadable blocks between
  /// the batch before and this one (not: room left free at the end of the ring).
  virtual void on_batch(const BatchHeader& header, bool after_gap) = 0;
  /// A record; its payload is whole when `intact`. A record without its batch's header comes too.
  virtual void on_record(const RecordHeader& header, Place place, bool intact,
                         ByteView payload) = 0;
  /// Every record of the batch that could be found was told.
  virtual void on_batch_end(const BatchHeader& header) = 0;
};

/// The batch with the highest number, wherever it is. Reads the whole file once.
[[nodiscard]] std::optional<BatchHeader> find_newest(Reader& reader, const Geometry& geometry);

/// Where a walk to `end` must begin to meet every entry from sequence `since` on that is still
/// there: a batch, or `oldest`. Reads backwards from `end`, no further than that.
[[nodiscard]] std::uint64_t find_since(Reader& reader, const Geometry& geometry, Sequence since,
                                       std::uint64_t oldest, std::uint64_t end);

/// Records whose batch header is gone: torn by a power cut, or damaged.
struct Gap {
  std::uint64_t begin = 0;   ///< logical block behind the last batch that has its header
  std::uint64_t end = 0;     ///< logical block behind the last record found
  std::uint64_t anchor = 0;  ///< position of that batch; `begin` when there is none
};

class LogWalk {
 public:
  LogWalk(Reader& reader, const Geometry& geometry, LogVisitor& visitor)
      : reader_(reader), geometry_(geometry), visitor_(visitor) {}

  /// Batches from logical block `from` to `end`, with numbers up to `newest`.
  void run(std::uint64_t from, std::uint64_t end, std::uint64_t newest);
  /// Records behind the newest header, of a batch whose own header was torn away: up to logical
  /// block `limit`. Returns the block behind the last one found, `from` when there is none.
  [[nodiscard]] std::uint64_t run_headless(std::uint64_t from, std::uint64_t limit,
                                           std::uint64_t newer_than);

  /// Where run() and run_headless() found records without a batch header, in rising order.
  [[nodiscard]] const std::vector<Gap>& gaps() const { return gaps_; }

  /// Highest batch number that any record or header had.
  [[nodiscard]] std::uint64_t highest_number() const { return highest_; }

 private:
  /// What a search over blocks without a batch came to.
  struct Scan {
    std::uint64_t stopped_at = 0;   ///< logical block: of a header, or the limit
    std::uint64_t records_end = 0;  ///< logical block behind the last record found, or the start
  };
  enum class StopAt : std::uint8_t { header, limit };
  /// Which batch numbers may turn up: others are left from earlier laps or from failed writes.
  struct Numbers {
    std::uint64_t lowest = 0;
    std::uint64_t highest = 0;
    [[nodiscard]] bool include(std::uint64_t number) const {
      return lowest <= number && number <= highest;
    }
  };

  [[nodiscard]] std::optional<BatchHeader> header_at(std::uint64_t position, Numbers numbers);
  void take_batch(const BatchHeader& header);
  void note_gap(std::uint64_t begin, std::uint64_t end);
  [[nodiscard]] Scan scan(std::uint64_t from, std::uint64_t limit, Numbers numbers, StopAt stop);
  [[nodiscard]] std::uint64_t next_candidate(std::uint64_t start, std::uint64_t at,
                                             Numbers numbers);
  /// The record that starts there and ends before `end` (both physical).
  [[nodiscard]] std::optional<RecordHeader> record_at(std::uint64_t offset, std::uint64_t end,
                                                      Numbers numbers);
  void tell(const RecordHeader& header, Place place, std::uint64_t offset);

  Reader& reader_;
  const Geometry& geometry_;
  LogVisitor& visitor_;
  std::uint64_t previous_number_ = 0;
  std::optional<std::uint64_t> previous_position_;
  std::vector<Gap> gaps_;
  std::uint64_t highest_ = 0;
};

}  // namespace posthorn::queue
