#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "posthorn/queue/ring_file.h"
#include "queue/end_note.h"
#include "queue/index.h"
#include "queue/named_readers.h"
#include "queue/reader.h"
#include "queue/walk.h"

namespace posthorn::queue {

/// Where the log stands.
struct LogState {
  std::uint64_t head = 0;          ///< logical block where the next batch goes
  std::uint64_t previous_end = 0;  ///< what its header says
  std::uint64_t synced_tail = 0;   ///< tail in the newest header: room begins before it
  std::uint64_t next_number = 1;
  std::uint64_t next_sequence = 1;
  std::vector<Gap> gaps;  ///< behind the tail, in rising order

  /// The tail that a header may name when the first needed entry is in `position`: always the
  /// place of a batch that has its header, so that the next walk knows which numbers are current.
  [[nodiscard]] std::uint64_t anchored(std::uint64_t position) const;
  /// What new entries leave free: FORMAT.md, "Room".
  [[nodiscard]] std::uint64_t reserve(const Geometry& geometry) const;
  [[nodiscard]] std::uint64_t free_blocks(const Geometry& geometry) const {
    return synced_tail + geometry.blocks() - head;
  }
  /// Forgets gaps before the synced tail.
  void drop_old_gaps();
};

struct Recovered {
  Index index;
  LogState log;
  Recovery report;
  std::vector<NamedReader> readers;
  std::optional<std::uint64_t> readers_place;  ///< logical block of the batch that has them
};

/// Rebuilds what is pending from a ring file, as FORMAT.md's recovery section says. Writes nothing.
/// Never fails: what cannot be read is in the report. noted_end: where the log ended when the
/// program did; checked, then not searched for.
[[nodiscard]] Recovered recover(Reader& reader, const Geometry& geometry,
                                const std::optional<EndNote::End>& noted_end = std::nullopt);

}  // namespace posthorn::queue
