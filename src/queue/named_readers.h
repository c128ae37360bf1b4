#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/queue/ring_file.h"
#include "queue/layout.h"

namespace posthorn::queue {

/// A named reader: how far it has come in the log, whatever the queue's owner has acknowledged.
struct NamedReader {
  std::string name;
  std::uint64_t block = 0;        ///< logical block where it goes on; nothing unread lies before
  Sequence position = 0;          ///< the last one it has done with
  std::uint32_t most_behind = 0;  ///< it skips what is further back than so many; 0: keeps all

  bool operator==(const NamedReader&) const = default;
};

inline constexpr std::size_t kReaderBytes = 40;
inline constexpr std::size_t kReaderNameBytes = 16;

/// 1 .. 16 of a-z, 0-9 and "-".
[[nodiscard]] bool is_reader_name(std::string_view name);

/// The payload of a record of type readers: FORMAT.md, section 4.
[[nodiscard]] Bytes encode_readers(const std::vector<NamedReader>& readers);
/// nullopt: not such a payload.
[[nodiscard]] std::optional<std::vector<NamedReader>> decode_readers(ByteView payload);

/// What one look into the log found.
struct LogRead {
  struct Found {
    Entry entry;
    std::uint64_t block = 0;  ///< of its batch
    Bytes payload;
  };
  std::vector<Found> found;      ///< in rising order of sequence
  std::uint64_t next_block = 0;  ///< where to go on
};

/// Logical blocks, the second not included.
struct BlockRange {
  std::uint64_t from = 0;
  std::uint64_t head = 0;
};
enum class LogPayloads : std::uint8_t { read, left_out };
struct LogAmount {
  std::size_t most_bytes = 0;
  LogPayloads payloads = LogPayloads::read;
};

/// Reads entries after `position` until their payloads come to most_bytes: at least one, when there
/// is one. Steps over what is damaged or not there any more. newest: no batch has a higher number.
/// On the Worker.
[[nodiscard]] LogRead read_log(DiskFile& file, const Geometry& geometry, BlockRange blocks,
                               std::uint64_t newest, Sequence position, LogAmount amount);

}  // namespace posthorn::queue
