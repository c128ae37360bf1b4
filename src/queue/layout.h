#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "posthorn/base/bytes.h"
#include "posthorn/queue/ring_file.h"

/// The bytes of a ring file, as FORMAT.md specifies them. Pure: bytes in, values out, and back.
namespace posthorn::queue {

inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::uint16_t kMinorVersion = 1;
inline constexpr std::size_t kSuperblockArea = 4096;  ///< one at each end of the file
inline constexpr std::size_t kSuperblockBytes = 64;
inline constexpr std::size_t kBatchHeaderBytes = 64;
inline constexpr std::size_t kRecordHeaderBytes = 40;
inline constexpr std::size_t kRecordAlign = 8;
inline constexpr std::uint64_t kTidyBytes =
    std::uint64_t{256} * 1024;  ///< most that one batch moves
inline constexpr std::uint64_t kMinFileBytes = std::uint64_t{64} * 1024;
inline constexpr std::uint64_t kMinFileBytesLargeBlocks = std::uint64_t{128} * 1024;
inline constexpr std::uint64_t kMaxFileBytes = 4ULL << 30;

/// Where the blocks are, and the salt that makes our checksums unforgeable from outside.
struct Geometry {
  std::uint32_t block_bytes = 512;  ///< 512 or 4096
  std::uint64_t file_bytes = 0;     ///< multiple of 4096
  std::uint64_t salt = 0;
  std::uint64_t first_sequence = 1;  ///< of the first entry ever in this file

  bool operator==(const Geometry&) const = default;
  [[nodiscard]] std::uint64_t blocks() const {
    return (file_bytes - 2 * kSuperblockArea) / block_bytes;
  }
  /// Physical byte offset of a logical block (which counts on through the laps).
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t position) const {
    return kSuperblockArea + position % blocks() * block_bytes;
  }
  [[nodiscard]] std::uint64_t blocks_for(std::uint64_t bytes) const {
    return (bytes + block_bytes - 1) / block_bytes;
  }
  /// What a payload may have at most in a ring of this size.
  [[nodiscard]] std::size_t max_payload() const;

  // Room, in blocks: FORMAT.md, "Room", says why these are enough.
  [[nodiscard]] std::uint64_t largest_batch() const;   ///< for one record of the largest payload
  [[nodiscard]] std::uint64_t tidy_blocks() const;     ///< what one batch moves, at least
  [[nodiscard]] std::uint64_t reserve_blocks() const;  ///< new entries leave this free
  /// A batch takes no more entries once it has so many bytes: what is to be moved to free the first
  /// batch's place must fit into the reserve.
  [[nodiscard]] std::uint64_t batch_target() const { return tidy_blocks() * block_bytes; }
  /// What pending records may fill, with headers.
  [[nodiscard]] std::uint64_t capacity_bytes() const;
};

/// Stands at the start of every batch, which is the unit of one write and one sync.
struct BatchHeader {
  std::uint32_t blocks = 0;         ///< length, this header included
  std::uint64_t number = 0;         ///< rises with every attempt to write a batch
  std::uint64_t position = 0;       ///< logical block where it starts
  std::uint64_t previous_end = 0;   ///< logical block where the batch before it ended
  std::uint64_t tail = 0;           ///< logical block before which nothing is needed any more
  std::uint64_t next_sequence = 0;  ///< all sequences below were given away up to this batch
  std::uint32_t records = 0;        ///< records in it, of every type
  std::uint16_t entries = 0;        ///< of type entry: next_sequence - entries .. next_sequence - 1

  bool operator==(const BatchHeader&) const = default;
};

/// Stored: do not renumber.
enum class RecordType : std::uint8_t {
  entry = 1,    ///< a new entry
  moved = 2,    ///< an older pending entry, copied forward so that its place can be reused
  acks = 3,     ///< payload: sequences of 8 bytes each that are done
  hole = 4,     ///< room of an entry that could not be moved because it was unreadable
  readers = 5,  ///< payload: how far each named reader has come
};

struct RecordHeader {
  std::uint32_t payload_crc = 0;
  std::uint32_t length = 0;  ///< of the payload
  RecordType type = RecordType::entry;
  Label label{};
  bool clock_trusted = false;
  Sequence sequence = 0;         ///< 0 for acks
  std::uint64_t batch = 0;       ///< number of the batch it was written in
  std::int64_t accepted_ms = 0;  ///< since 1970

  bool operator==(const RecordHeader&) const = default;
};

/// Bytes that a record with such a payload takes, padding included.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t payload) {
  return (kRecordHeaderBytes + payload + kRecordAlign - 1) / kRecordAlign * kRecordAlign;
}

/// `out` has kSuperblockBytes.
void encode_superblock(const Geometry& geometry, std::span<std::byte> out);
/// nullopt: not a superblock of ours, of another version, or its values contradict each other.
[[nodiscard]] std::optional<Geometry> decode_superblock(ByteView in);
/// The version of a whole superblock, also of one that decode_superblock() does not understand.
[[nodiscard]] std::optional<std::uint16_t> superblock_version(ByteView in);

void encode_batch_header(const BatchHeader& header, const Geometry& geometry,
                         std::span<std::byte> out);
/// in: at least kBatchHeaderBytes. nullopt: no batch starts here.
[[nodiscard]] std::optional<BatchHeader> decode_batch_header(ByteView in, const Geometry& geometry);
/// The magic is there but for a few flipped bits: somebody began a batch here.
[[nodiscard]] bool resembles_batch_header(ByteView in);

/// offset: physical, in the file; it goes into the checksum, so that a record is valid in its
/// place only.
void encode_record_header(const RecordHeader& header, const Geometry& geometry,
                          std::uint64_t offset, std::span<std::byte> out);
/// in: at least kRecordHeaderBytes. nullopt: no record starts here. Types that this version does
/// not know come through as numbers.
[[nodiscard]] std::optional<RecordHeader> decode_record_header(ByteView in,
                                                               const Geometry& geometry,
                                                               std::uint64_t offset);

/// The batch number alone, of bytes that need not be a record.
[[nodiscard]] std::uint64_t record_batch(ByteView in);

[[nodiscard]] std::uint32_t payload_crc(const Geometry& geometry, ByteView payload);

void put_u64(std::span<std::byte> out, std::uint64_t value);
[[nodiscard]] std::uint64_t get_u64(ByteView in);

}  // namespace posthorn::queue
