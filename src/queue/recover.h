#pragma once

#include <cstdint>
#include <vector>

#include "posthorn/queue/ring_file.h"
#include "queue/index.h"
#include "queue/reader.h"

namespace posthorn::queue {

/// Where the log stands.
struct LogState {
  std::uint64_t head = 0;          ///< logical block where the next batch goes
  std::uint64_t previous_end = 0;  ///< what its header says
  std::uint64_t synced_tail = 0;   ///< tail in the newest header: room begins before it
  std::uint64_t next_number = 1;
  std::uint64_t next_sequence = 1;
};

struct Recovered {
  Index index;
  LogState log;
  Recovery report;
};

/// Rebuilds what is pending from a ring file, as FORMAT.md's recovery section says. Writes nothing.
/// Never fails: what cannot be read is in the report.
[[nodiscard]] Recovered recover(Reader& reader, const Geometry& geometry);

}  // namespace posthorn::queue
