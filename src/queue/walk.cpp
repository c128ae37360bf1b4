#include "queue/walk.h"

#include <algorithm>
#include <utility>

namespace posthorn::queue {

namespace {

/// How many writes may have failed one after the other before the one that a cut left headless.
constexpr std::uint64_t kNumbersAhead = 1ULL << 32;

}  // namespace

std::optional<BatchHeader> find_newest(Reader& reader, const Geometry& geometry) {
  std::optional<BatchHeader> newest;
  for (std::uint64_t block = 0; block < geometry.blocks(); ++block) {
    const auto header =
        decode_batch_header(reader.view(geometry.offset_of(block), kBatchHeaderBytes), geometry);
    if (!header || header->position % geometry.blocks() != block) continue;
    if (!newest || newest->number < header->number) newest = header;
  }
  return newest;
}

std::uint64_t find_since(Reader& reader, const Geometry& geometry, Sequence since,
                         std::uint64_t oldest, std::uint64_t end) {
  const std::uint64_t piece = Reader::kWindow / geometry.block_bytes;
  while (end > oldest) {
    // Not over the start of the ring: a piece is in one place.
    const std::uint64_t in_lap = (end - 1) % geometry.blocks() + 1;
    const std::uint64_t begin = end - std::min({piece, in_lap, end - oldest});
    const ByteView bytes = reader.view(
        geometry.offset_of(begin), static_cast<std::size_t>((end - begin) * geometry.block_bytes));
    for (std::uint64_t position = end; position-- > begin;) {
      const auto at = static_cast<std::size_t>((position - begin) * geometry.block_bytes);
      const auto header = decode_batch_header(bytes.subspan(at, kBatchHeaderBytes), geometry);
      if (!header || header->position != position) continue;
      if (header->next_sequence - header->entries <= since) return position;
    }
    end = begin;
  }
  return oldest;
}

void LogWalk::run(std::uint64_t from, std::uint64_t end, std::uint64_t newest) {
  std::uint64_t position = from;
  while (position < end) {
    const Numbers numbers{previous_number_ + 1, newest};
    const std::uint64_t gap_start = position;
    auto header = header_at(position, numbers);
    if (!header) {
      const Scan gap = scan(position, end, numbers, StopAt::header);
      note_gap(gap_start, gap.records_end);
      position = gap.stopped_at;
      if (position == end) return;
      header = header_at(position, numbers);
    }
    visitor_.on_batch(*header, gap_start != position && header->previous_end != gap_start);
    take_batch(*header);
    position += header->blocks;
  }
}

std::uint64_t LogWalk::run_headless(std::uint64_t from, std::uint64_t limit,
                                    std::uint64_t newer_than) {
  const Numbers numbers{newer_than + 1, newer_than + kNumbersAhead};
  const std::uint64_t end = scan(from, limit, numbers, StopAt::limit).records_end;
  note_gap(from, end);
  return end;
}

void LogWalk::note_gap(std::uint64_t begin, std::uint64_t end) {
  if (begin != end) gaps_.push_back({begin, end, previous_position_.value_or(begin)});
}

std::optional<BatchHeader> LogWalk::header_at(std::uint64_t position, Numbers numbers) {
  const auto header = decode_batch_header(
      reader_.view(geometry_.offset_of(position), kBatchHeaderBytes), geometry_);
  if (!header || header->position != position || !numbers.include(header->number)) {
    return std::nullopt;
  }
  return header;
}

void LogWalk::take_batch(const BatchHeader& header) {
  previous_number_ = header.number;
  previous_position_ = header.position;
  highest_ = std::max(highest_, header.number);
  const std::uint64_t start = geometry_.offset_of(header.position);
  const std::uint64_t length = std::uint64_t{header.blocks} * geometry_.block_bytes;
  std::uint64_t at = kBatchHeaderBytes;
  for (std::uint32_t found = 0; found < header.records && at + kRecordHeaderBytes <= length;) {
    const auto record = record_at(start + at, start + length, {header.number, header.number});
    if (!record) {
      at += kRecordAlign;  // damaged: the next one begins at one of these
      continue;
    }
    tell(*record, {header.position, static_cast<std::uint32_t>(at)}, start + at);
    at += record_bytes(record->length);
    ++found;
  }
  visitor_.on_batch_end(header);
}

LogWalk::Scan LogWalk::scan(std::uint64_t from, std::uint64_t limit, Numbers numbers, StopAt stop) {
  const std::uint64_t block = geometry_.block_bytes;
  const std::uint64_t ring_end = geometry_.offset_of(0) + geometry_.blocks() * block;
  Scan result{limit, from};
  std::uint64_t skip = 0;  // bytes of the next block that belong to the record before
  for (std::uint64_t position = from; position < limit;) {
    // Even inside what a record claims to cover: a header there was written over its rest.
    if (stop == StopAt::header && header_at(position, numbers)) {
      result.stopped_at = position;
      return result;
    }
    const std::uint64_t start = geometry_.offset_of(position);
    const std::uint64_t end = std::min(ring_end, start + (limit - position) * block);
    std::uint64_t at = std::exchange(skip, 0);
    while ((at = next_candidate(start, at, numbers)) < block) {
      const auto record = record_at(start + at, end, numbers);
      if (!record) {
        at += kRecordAlign;
        continue;
      }
      tell(*record, {position, static_cast<std::uint32_t>(at)}, start + at);
      at += record_bytes(record->length);
      result.records_end = position + geometry_.blocks_for(at);
    }
    position += at / block;
    skip = at % block;
  }
  return result;
}

/// The next place in the block at `start` that has a fitting batch number, the block's end when
/// there is none: a quick look before the checksum, since a search asks at every eighth byte.
std::uint64_t LogWalk::next_candidate(std::uint64_t start, std::uint64_t at, Numbers numbers) {
  const ByteView bytes = reader_.view(start, geometry_.block_bytes + kRecordHeaderBytes);
  while (at < geometry_.block_bytes &&
         !numbers.include(record_batch(bytes.subspan(static_cast<std::size_t>(at))))) {
    at += kRecordAlign;
  }
  return at;
}

std::optional<RecordHeader> LogWalk::record_at(std::uint64_t offset, std::uint64_t end,
                                               Numbers numbers) {
  const ByteView bytes = reader_.view(offset, kRecordHeaderBytes);
  if (!numbers.include(record_batch(bytes))) return std::nullopt;
  const auto header = decode_record_header(bytes, geometry_, offset);
  if (!header) return std::nullopt;
  if (offset + record_bytes(header->length) > end) return std::nullopt;
  return header;
}

void LogWalk::tell(const RecordHeader& header, Place place, std::uint64_t offset) {
  highest_ = std::max(highest_, header.batch);
  const ByteView payload = reader_.view(offset + kRecordHeaderBytes, header.length);
  const bool intact = payload_crc(geometry_, payload) == header.payload_crc;
  visitor_.on_record(header, place, intact, payload);
}

}  // namespace posthorn::queue
