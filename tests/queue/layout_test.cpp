#include "queue/layout.h"

#include <gtest/gtest.h>

#include <functional>

#include "queue/crc32c.h"

namespace posthorn::queue {
namespace {

constexpr Geometry kGeometry{512, 64 * 1024, 0x1122334455667788, 7};

/// RFC 3720, appendix B.4.
TEST(Crc32c, AgreesWithTheStandardsVectors) {
  Bytes data(32);
  EXPECT_EQ(crc32c(0, data), 0x8a9136aaU);
  data.assign(32, std::byte{0xff});
  EXPECT_EQ(crc32c(0, data), 0x62a8ab43U);
  for (std::size_t i = 0; i < 32; ++i) data[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(0, data), 0x46dd794eU);
  EXPECT_EQ(crc32c(0, as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(crc32c(0, as_bytes("1234")), as_bytes("56789")), 0xe3069283U);
}

TEST(Superblock, ComesBackAsItWas) {
  Bytes bytes(kSuperblockBytes);
  encode_superblock(kGeometry, bytes);
  EXPECT_EQ(decode_superblock(bytes), kGeometry);
  // The first bytes of FORMAT.md: magic, version, block size.
  EXPECT_EQ(as_text(ByteView(bytes).first(8)), "PHRING1\n");
  EXPECT_EQ(bytes[8], std::byte{1});
  EXPECT_EQ(bytes[13], std::byte{2});
}

TEST(Superblock, ThatContradictsItselfIsNone) {
  for (const Geometry& wrong :
       {Geometry{1024, 64 * 1024, 1, 1}, Geometry{512, 64 * 1024 + 512, 1, 1},
        Geometry{512, 32 * 1024, 1, 1}, Geometry{4096, 64 * 1024, 1, 1},
        Geometry{512, 8ULL << 30, 1, 1}, Geometry{512, 64 * 1024, 1, 0}}) {
    Bytes bytes(kSuperblockBytes);
    encode_superblock(wrong, bytes);
    EXPECT_FALSE(decode_superblock(bytes));
  }
  Bytes bytes(kSuperblockBytes);
  encode_superblock(kGeometry, bytes);
  bytes[8] = std::byte{2};  // another version
  EXPECT_FALSE(decode_superblock(bytes));
  encode_superblock({4096, 128 * 1024, 1, 1}, bytes);
  EXPECT_TRUE(decode_superblock(bytes));
}

TEST(BatchHeader, ComesBackAsItWas) {
  const BatchHeader header{.blocks = 3,
                           .number = 9,
                           .position = 500,
                           .previous_end = 499,
                           .tail = 450,
                           .next_sequence = 1ULL << 40,
                           .records = 5,
                           .entries = 4};
  Bytes bytes(kBatchHeaderBytes);
  encode_batch_header(header, kGeometry, bytes);
  EXPECT_EQ(decode_batch_header(bytes, kGeometry), header);
  Geometry other = kGeometry;
  other.salt ^= 1;
  EXPECT_FALSE(decode_batch_header(bytes, other));
}

TEST(BatchHeader, ThatContradictsItselfIsNone) {
  for (const BatchHeader& wrong :
       {BatchHeader{.blocks = 0}, BatchHeader{.blocks = 113},
        BatchHeader{.blocks = 3, .position = 110},  // over the end of the ring
        BatchHeader{.blocks = 1, .position = 5, .tail = 6},
        BatchHeader{.blocks = 1, .position = 500, .tail = 380}}) {
    Bytes bytes(kBatchHeaderBytes);
    encode_batch_header(wrong, kGeometry, bytes);
    EXPECT_FALSE(decode_batch_header(bytes, kGeometry));
  }
}

TEST(BatchHeader, IsRecognisedThroughAFewFlippedBits) {
  Bytes bytes(kBatchHeaderBytes);
  encode_batch_header({.blocks = 1}, kGeometry, bytes);
  for (std::size_t i = 0; i < 8; ++i) bytes[i] ^= std::byte{0x10};
  EXPECT_TRUE(resembles_batch_header(bytes));
  bytes[0] ^= std::byte{1};
  EXPECT_FALSE(resembles_batch_header(bytes));
  EXPECT_FALSE(resembles_batch_header(Bytes(64)));
}

TEST(RecordHeader, IsValidInItsPlaceOnly) {
  const RecordHeader header{.payload_crc = 5,
                            .length = 100,
                            .type = RecordType::moved,
                            .label = {Worth::expendable, 0x5A3},
                            .clock_trusted = true,
                            .sequence = 77,
                            .batch = 8,
                            .accepted_ms = -5};
  Bytes bytes(kRecordHeaderBytes);
  encode_record_header(header, kGeometry, 4160, bytes);
  EXPECT_EQ(decode_record_header(bytes, kGeometry, 4160), header);
  EXPECT_EQ(record_batch(bytes), 8U);
  EXPECT_FALSE(decode_record_header(bytes, kGeometry, 4168));
  Geometry other = kGeometry;
  other.salt = 0;
  EXPECT_FALSE(decode_record_header(bytes, other, 4160));
}

TEST(RecordHeader, IsNotMadeOfZerosOrOfAbsurdLengths) {
  EXPECT_FALSE(decode_record_header(Bytes(kRecordHeaderBytes), kGeometry, 4160));
  Bytes bytes(kRecordHeaderBytes);
  encode_record_header({.length = kMaxPayloadBytes + 1}, kGeometry, 4160, bytes);
  EXPECT_FALSE(decode_record_header(bytes, kGeometry, 4160));
}

/// No field is left out of the comparison.
template <class T>
void expect_every_field_counts(const T& value,
                               std::initializer_list<std::function<void(T&)>> changes) {
  EXPECT_EQ(value, value);
  for (const auto& change : changes) {
    T other = value;
    change(other);
    EXPECT_FALSE(value == other);
  }
}

TEST(Values, DifferWhenAnyFieldDoes) {
  expect_every_field_counts<Geometry>(
      kGeometry, {[](auto& g) { g.block_bytes = 1; }, [](auto& g) { g.file_bytes = 1; },
                  [](auto& g) { g.salt = 1; }, [](auto& g) { g.first_sequence = 1; }});
  expect_every_field_counts<BatchHeader>(
      {}, {[](auto& h) { h.blocks = 1; }, [](auto& h) { h.number = 1; },
           [](auto& h) { h.position = 1; }, [](auto& h) { h.previous_end = 1; },
           [](auto& h) { h.tail = 1; }, [](auto& h) { h.next_sequence = 1; },
           [](auto& h) { h.records = 1; }, [](auto& h) { h.entries = 1; }});
  expect_every_field_counts<RecordHeader>(
      {}, {[](auto& h) { h.payload_crc = 1; }, [](auto& h) { h.length = 1; },
           [](auto& h) { h.type = RecordType::acks; },
           [](auto& h) { h.label.worth = Worth::expendable; },
           [](auto& h) { h.clock_trusted = true; }, [](auto& h) { h.sequence = 1; },
           [](auto& h) { h.batch = 1; }, [](auto& h) { h.accepted_ms = 1; }});
}

TEST(Geometry, LeavesRoomToTidyInEveryRing) {
  for (const std::uint32_t block : {512U, 4096U}) {
    for (std::uint64_t bytes = block == 512 ? kMinFileBytes : kMinFileBytesLargeBlocks;
         bytes <= kMaxFileBytes; bytes *= 2) {
      const Geometry geometry{block, bytes, 1, 1};
      EXPECT_GT(geometry.blocks(), geometry.reserve_blocks() + geometry.largest_batch() + 2)
          << bytes;
      EXPECT_GE(geometry.capacity_bytes(), 2 * record_bytes(geometry.max_payload())) << bytes;
      EXPECT_LE(geometry.capacity_bytes(), geometry.blocks() * block / 8 * 5) << bytes;
    }
  }
}

}  // namespace
}  // namespace posthorn::queue
