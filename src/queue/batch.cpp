#include "queue/batch.h"

#include <algorithm>
#include <utility>

namespace posthorn::queue {

void Batch::add_acks(std::vector<Sequence> acks) {
  acks_ = std::move(acks);
  acks_offset_ = static_cast<std::uint32_t>(bytes_);
  bytes_ += record_bytes(8 * acks_.size());
}

void Batch::add_readers(Bytes payload) {
  readers_offset_ = static_cast<std::uint32_t>(bytes_);
  bytes_ += record_bytes(payload.size());
  readers_ = std::move(payload);
}

void Batch::add_entry(NewEntry entry) {
  entry.place = {header_.position, static_cast<std::uint32_t>(bytes_)};
  bytes_ += record_bytes(entry.payload.size());
  entries_.push_back(std::move(entry));
}

void Batch::add_move(const Index::Slot& slot) {
  moves_.push_back({slot, {header_.position, static_cast<std::uint32_t>(bytes_)}});
  bytes_ += record_bytes(slot.length);
}

void Batch::finish() {
  for (NewEntry& entry : entries_) entry.sequence = header_.next_sequence++;
  header_.entries = static_cast<std::uint16_t>(entries_.size());
  header_.records = static_cast<std::uint32_t>(entries_.size() + moves_.size() +
                                               (acks_.empty() ? 0 : 1) + (readers_ ? 1 : 0));
  header_.blocks = static_cast<std::uint32_t>(geometry_.blocks_for(bytes_));
}

void Batch::write(DiskFile& file, DiskFile& source, const Geometry& source_geometry) {
  outcome_ = encode_and_write(file, source, source_geometry);
}

Result<void> Batch::encode_and_write(DiskFile& file, DiskFile& source,
                                     const Geometry& source_geometry) {
  AlignedBuffer buffer(std::size_t{header_.blocks} * geometry_.block_bytes);
  encode_batch_header(header_, geometry_, buffer.bytes());
  if (!acks_.empty()) {
    Bytes payload(8 * acks_.size());
    for (std::size_t i = 0; i < acks_.size(); ++i)
      put_u64(std::span(payload).subspan(8 * i), acks_[i]);
    encode_record(buffer, acks_offset_, {.type = RecordType::acks}, payload);
  }
  if (readers_) encode_record(buffer, readers_offset_, {.type = RecordType::readers}, *readers_);
  for (const NewEntry& entry : entries_) {
    encode_record(buffer, entry.place.offset,
                  {.label = entry.label,
                   .clock_trusted = entry.accepted_at.trusted,
                   .sequence = entry.sequence,
                   .accepted_ms = entry.accepted_at.since_epoch.count()},
                  entry.payload);
  }
  for (Move& move : moves_) {
    encode_move(buffer, move, read_record(source, source_geometry, move.slot));
  }
  TRY(file.write(geometry_.offset_of(header_.position), buffer.bytes()));
  return file.sync();
}

void Batch::encode_record(AlignedBuffer& buffer, std::uint32_t offset, RecordHeader header,
                          ByteView payload) const {
  header.payload_crc = payload_crc(geometry_, payload);
  header.length = static_cast<std::uint32_t>(payload.size());
  header.batch = header_.number;
  const auto out = buffer.bytes().subspan(offset);
  encode_record_header(header, geometry_, geometry_.offset_of(header_.position) + offset, out);
  std::copy(payload.begin(), payload.end(), out.begin() + kRecordHeaderBytes);
}

void Batch::encode_move(AlignedBuffer& buffer, Move& move, Result<Bytes> payload) const {
  if (payload) {
    move.outcome = Move::Outcome::moved;
  } else {
    // What the device refuses to read now it may give later, so the entry stays where it is.
    move.outcome =
        payload.error().code == Errc::malformed ? Move::Outcome::unreadable : Move::Outcome::stays;
  }
  const Entry entry = move.slot.entry();
  encode_record(buffer, move.to.offset,
                {.type = payload ? RecordType::moved : RecordType::hole,
                 .label = entry.label,
                 .clock_trusted = entry.accepted_at.trusted,
                 .sequence = entry.sequence,
                 .accepted_ms = entry.accepted_at.since_epoch.count()},
                payload ? *payload : Bytes(entry.length));
}

Result<Bytes> read_record(DiskFile& file, const Geometry& geometry, const Index::Slot& slot) {
  return std::move(read_records(file, geometry, {&slot, 1}).front());
}

std::vector<Result<Bytes>> read_records(DiskFile& file, const Geometry& geometry,
                                        std::span<const Index::Slot> slots) {
  const auto start_of = [&](const Index::Slot& slot) {
    return geometry.offset_of(slot.position) + slot.offset;
  };
  const std::uint64_t unit = file.alignment();
  const std::uint64_t start = start_of(slots.front()) / unit * unit;
  const std::uint64_t past = start_of(slots.back()) + kRecordHeaderBytes + slots.back().length;
  AlignedBuffer buffer(static_cast<std::size_t>((past + unit - 1) / unit * unit - start));
  if (const Result<void> read = file.read(start, buffer.bytes()); !read) {
    if (slots.size() > 1) return read_records(file, geometry, slots.first(1));
    return {tl::unexpected(read.error())};
  }
  std::vector<Result<Bytes>> payloads;
  payloads.reserve(slots.size());
  for (const Index::Slot& slot : slots) {
    const auto at = static_cast<std::size_t>(start_of(slot) - start);
    const auto payload = check_record(ByteView(buffer.bytes()).subspan(at), geometry, slot);
    payloads.push_back(payload ? Result<Bytes>(to_bytes(*payload))
                               : tl::unexpected(payload.error()));
  }
  return payloads;
}

Result<ByteView> check_record(ByteView record, const Geometry& geometry, const Index::Slot& slot) {
  const std::uint64_t offset = geometry.offset_of(slot.position) + slot.offset;
  const auto header = decode_record_header(record, geometry, offset);
  if (!header || header->sequence != slot.sequence || header->length != slot.length) {
    return fail(Errc::malformed, "the record's header is damaged");
  }
  const ByteView payload = record.subspan(kRecordHeaderBytes, slot.length);
  if (payload_crc(geometry, payload) != header->payload_crc) {
    return fail(Errc::malformed, "the record's payload is damaged");
  }
  return payload;
}

}  // namespace posthorn::queue
