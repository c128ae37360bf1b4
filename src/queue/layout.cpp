#include "queue/layout.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "queue/crc32c.h"

namespace posthorn::queue {

namespace {

constexpr std::uint64_t kFileMagic = 0x0a31474e49524850;   // "PHRING1\n" in the file
constexpr std::uint64_t kBatchMagic = 0x9bd4c3a75e10f26c;  // arbitrary: half of its bits are set
/// What no ring reaches in its life. A checksum can be right by chance; a number that nothing can
/// follow would stop the queue for good.
constexpr std::uint64_t kNumbersEnd = 1ULL << 62;
constexpr std::uint64_t kPositionsEnd = 1ULL << 40;  // what the index has bits for
constexpr int kResemblance = 8;                      // flipped bits of 64: 1 in 10^9 by chance

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

template <class T>
void put(std::span<std::byte> out, std::size_t at, T value) {
  std::memcpy(out.subspan(at, sizeof(T)).data(), &value, sizeof(T));
}

template <class T>
T get(ByteView in, std::size_t at) {
  T value;
  std::memcpy(&value, in.subspan(at, sizeof(T)).data(), sizeof(T));
  return value;
}

std::uint32_t salted(const Geometry& geometry, std::uint64_t place) {
  std::array<std::byte, 16> prefix;
  put(prefix, 0, geometry.salt);
  put(prefix, 8, place);
  return crc32c(0, prefix);
}

bool sane(const Geometry& geometry) {
  return (geometry.block_bytes == 512 || geometry.block_bytes == 4096) &&
         geometry.file_bytes % kSuperblockArea == 0 &&
         geometry.file_bytes >=
             (geometry.block_bytes == 512 ? kMinFileBytes : kMinFileBytesLargeBlocks) &&
         geometry.file_bytes <= kMaxFileBytes && geometry.first_sequence != 0;
}

}  // namespace

std::size_t Geometry::max_payload() const {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(kMaxPayloadBytes, blocks() * block_bytes / 16));
}

std::uint64_t Geometry::largest_batch() const {
  return blocks_for(kBatchHeaderBytes + record_bytes(max_payload()));
}

std::uint64_t Geometry::tidy_blocks() const {
  const std::uint64_t share =
      std::max({std::uint64_t{2}, std::min<std::uint64_t>(blocks() / 8, 8), blocks() / 16});
  return std::max(largest_batch(), std::min(share, blocks_for(kTidyBytes)));
}

std::uint64_t Geometry::reserve_blocks() const { return 2 * (tidy_blocks() + largest_batch()) + 4; }

std::uint64_t Geometry::capacity_bytes() const {
  // What was moved last still counts with its old place, too; and a batch of moved records wastes
  // its header and part of its last block.
  const std::uint64_t twice = tidy_blocks() + largest_batch();
  const std::uint64_t dense = blocks() - reserve_blocks() - twice - largest_batch() - 2;
  const std::uint64_t waste = dense / tidy_blocks() * (block_bytes + kBatchHeaderBytes);
  return std::min(blocks() * block_bytes / 8 * 5, dense * block_bytes - waste);
}

void put_u64(std::span<std::byte> out, std::uint64_t value) { put(out, 0, value); }
std::uint64_t get_u64(ByteView in) { return get<std::uint64_t>(in, 0); }

void encode_superblock(const Geometry& geometry, std::span<std::byte> out) {
  std::fill(out.begin(), out.end(), std::byte{0});
  put(out, 0, kFileMagic);
  put(out, 8, kVersion);
  put(out, 10, kMinorVersion);
  put(out, 12, geometry.block_bytes);
  put(out, 16, geometry.file_bytes);
  put(out, 24, geometry.salt);
  put(out, 32, geometry.first_sequence);
  put(out, 60, crc32c(0, ByteView(out).first(60)));
}

std::optional<std::uint16_t> superblock_version(ByteView in) {
  if (get<std::uint64_t>(in, 0) != kFileMagic ||
      get<std::uint32_t>(in, 60) != crc32c(0, in.first(60))) {
    return std::nullopt;
  }
  return get<std::uint16_t>(in, 8);
}

std::optional<Geometry> decode_superblock(ByteView in) {
  if (superblock_version(in) != kVersion) return std::nullopt;
  const Geometry geometry{get<std::uint32_t>(in, 12), get<std::uint64_t>(in, 16),
                          get<std::uint64_t>(in, 24), get<std::uint64_t>(in, 32)};
  if (!sane(geometry)) return std::nullopt;
  return geometry;
}

void encode_batch_header(const BatchHeader& header, const Geometry& geometry,
                         std::span<std::byte> out) {
  put(out, 0, kBatchMagic);
  put(out, 12, header.blocks);
  put(out, 16, header.number);
  put(out, 24, header.position);
  put(out, 32, header.previous_end);
  put(out, 40, header.tail);
  put(out, 48, header.next_sequence);
  put(out, 56, header.records);
  put(out, 60, header.entries);
  put(out, 62, std::uint16_t{0});
  put(out, 8, crc32c(salted(geometry, header.position), ByteView(out).subspan(12, 52)));
}

std::optional<BatchHeader> decode_batch_header(ByteView in, const Geometry& geometry) {
  if (get<std::uint64_t>(in, 0) != kBatchMagic) return std::nullopt;
  const BatchHeader header{get<std::uint32_t>(in, 12), get<std::uint64_t>(in, 16),
                           get<std::uint64_t>(in, 24), get<std::uint64_t>(in, 32),
                           get<std::uint64_t>(in, 40), get<std::uint64_t>(in, 48),
                           get<std::uint32_t>(in, 56), get<std::uint16_t>(in, 60)};
  if (get<std::uint32_t>(in, 8) != crc32c(salted(geometry, header.position), in.subspan(12, 52))) {
    return std::nullopt;
  }
  const std::uint64_t blocks = geometry.blocks();
  const bool sound = header.blocks >= 1 && header.blocks <= blocks &&
                     header.position < kPositionsEnd - blocks && header.number < kNumbersEnd &&
                     header.next_sequence < kNumbersEnd &&
                     header.position % blocks + header.blocks <= blocks &&
                     header.tail <= header.position && header.position - header.tail <= blocks;
  if (!sound) return std::nullopt;
  return header;
}

bool resembles_batch_header(ByteView in) {
  return std::popcount(get<std::uint64_t>(in, 0) ^ kBatchMagic) <= kResemblance;
}

void encode_record_header(const RecordHeader& header, const Geometry& geometry,
                          std::uint64_t offset, std::span<std::byte> out) {
  put(out, 4, header.payload_crc);
  put(out, 8, header.length);
  put(out, 12, static_cast<std::uint8_t>(header.type));
  put(out, 13, static_cast<std::uint8_t>(header.label.worth));
  put(out, 14,
      static_cast<std::uint16_t>(std::uint32_t{header.label.owner} << 1U |
                                 (header.clock_trusted ? 1U : 0U)));
  put(out, 16, header.sequence);
  put(out, 24, header.batch);
  put(out, 32, header.accepted_ms);
  put(out, 0, crc32c(salted(geometry, offset), ByteView(out).subspan(4, 36)));
}

std::optional<RecordHeader> decode_record_header(ByteView in, const Geometry& geometry,
                                                 std::uint64_t offset) {
  const auto type = get<std::uint8_t>(in, 12);
  const auto length = get<std::uint32_t>(in, 8);
  if (type == 0 || length > kMaxPayloadBytes) return std::nullopt;  // cheap tests first
  if (get<std::uint32_t>(in, 0) != crc32c(salted(geometry, offset), in.subspan(4, 36))) {
    return std::nullopt;
  }
  const auto sequence = get<std::uint64_t>(in, 16);
  const bool entry = type == static_cast<std::uint8_t>(RecordType::entry) ||
                     type == static_cast<std::uint8_t>(RecordType::moved);
  if (sequence >= kNumbersEnd || record_batch(in) >= kNumbersEnd) return std::nullopt;
  if (entry && sequence == 0) return std::nullopt;  // nobody could ask for it
  const auto flags = get<std::uint16_t>(in, 14);
  return RecordHeader{
      get<std::uint32_t>(in, 4),
      length,
      static_cast<RecordType>(type),
      {static_cast<Worth>(get<std::uint8_t>(in, 13)), static_cast<Owner>(flags >> 1U)},
      (flags & 1U) != 0,
      sequence,
      record_batch(in),
      get<std::int64_t>(in, 32)};
}

std::uint64_t record_batch(ByteView in) { return get<std::uint64_t>(in, 24); }

std::uint32_t payload_crc(const Geometry& geometry, ByteView payload) {
  return crc32c(salted(geometry, 0), payload);
}

}  // namespace posthorn::queue
