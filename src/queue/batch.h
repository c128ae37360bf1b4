#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "posthorn/queue/disk.h"
#include "queue/aligned_buffer.h"
#include "queue/index.h"
#include "queue/named_readers.h"

namespace posthorn::queue {

inline constexpr std::size_t kMaxAcksPerBatch = 4096;
/// A batch takes new entries up to Geometry::batch_target(), moves `tidy` blocks of old ones, and
/// may go over each by one record: with its acknowledgements it is never longer than this.
inline constexpr std::uint64_t kMaxBatchBytes =
    2 * (kTidyBytes + 4096) + kBatchHeaderBytes + 2 * record_bytes(kMaxPayloadBytes) +
    record_bytes(kReaderBytes * RingFile::kMaxReaders) + record_bytes(8 * kMaxAcksPerBatch);

/// One write and one sync in the making: filled on the loop, then encoded and written by the
/// Worker, then read again on the loop. No two threads look at it at once.
class Batch {
 public:
  struct NewEntry {
    Bytes payload;
    Wall accepted_at;
    Label label{};
    Sequence sequence = 0;  ///< set by finish()
    Place place;
  };
  struct Move {
    Index::Slot slot;  ///< as it was when the move was planned
    Place to;
    enum class Outcome : std::uint8_t { stays, moved, unreadable };
    Outcome outcome = Outcome::stays;  ///< set by write()
  };

  Batch(const Geometry& geometry, BatchHeader header) : geometry_(geometry), header_(header) {}

  /// Bytes so far, and with a record of such a payload added.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t bytes_with(std::uint64_t payload) const {
    return bytes_ + record_bytes(payload);
  }

  void add_acks(std::vector<Sequence> acks);
  /// The payload of a record of readers' positions.
  void add_readers(Bytes payload);
  void add_entry(NewEntry entry);
  void add_move(const Index::Slot& slot);
  /// Fixes sequences, from header.next_sequence on, and the header.
  void finish();

  /// Encodes, writes, syncs. On the Worker.
  void write(DiskFile& file) { write(file, file, geometry_); }
  /// The same with the entries to move coming from another file: a migration.
  void write(DiskFile& file, DiskFile& source, const Geometry& source_geometry);

  /// It is not written, for this reason. On the Worker.
  void refuse(Error why) { outcome_ = tl::unexpected(std::move(why)); }

  [[nodiscard]] const BatchHeader& header() const { return header_; }
  [[nodiscard]] std::vector<Sequence>& acks() { return acks_; }
  [[nodiscard]] std::vector<NewEntry>& entries() { return entries_; }
  [[nodiscard]] bool has_readers() const { return readers_.has_value(); }
  [[nodiscard]] const std::vector<Move>& moves() const { return moves_; }
  /// What write() came to.
  [[nodiscard]] const Result<void>& outcome() const { return outcome_; }

 private:
  [[nodiscard]] Result<void> encode_and_write(DiskFile& file, DiskFile& source,
                                              const Geometry& source_geometry);
  void encode_record(AlignedBuffer& buffer, std::uint32_t offset, RecordHeader header,
                     ByteView payload) const;
  void encode_move(AlignedBuffer& buffer, Move& move, Result<Bytes> payload) const;

  Geometry geometry_;
  BatchHeader header_;
  std::uint64_t bytes_ = kBatchHeaderBytes;
  std::vector<Sequence> acks_;
  std::uint32_t acks_offset_ = 0;
  std::optional<Bytes> readers_;
  std::uint32_t readers_offset_ = 0;
  std::vector<NewEntry> entries_;
  std::vector<Move> moves_;
  Result<void> outcome_;
};

/// Checks that the record that `slot` means starts at `record`. Errors: malformed.
[[nodiscard]] Result<ByteView> check_record(ByteView record, const Geometry& geometry,
                                            const Index::Slot& slot);

/// Reads one record and checks that it is the one that `slot` says. On the Worker.
/// Errors: io; malformed (the medium lost it, or something else is there by now).
[[nodiscard]] Result<Bytes> read_record(DiskFile& file, const Geometry& geometry,
                                        const Index::Slot& slot);

/// Reads records that lie one behind the other, in one go: an answer for each, as read_record()'s.
/// When the device refuses them together, only the first is read: one answer. On the Worker.
[[nodiscard]] std::vector<Result<Bytes>> read_records(DiskFile& file, const Geometry& geometry,
                                                      std::span<const Index::Slot> slots);

}  // namespace posthorn::queue
