#include <algorithm>
#include <cstring>

#include "queue/batch.h"
#include "queue/crc32c.h"
#include "queue/recover.h"
#include "queue/ring_fixture.h"

namespace posthorn::queue {
namespace {

using Strings = std::vector<std::string>;
using test::MemDisk;

TEST_F(RingTest, WhatComesDuringASyncSharesTheNextOne) {
  HeldWorker slow(scheduler);
  auto opened = RingFile::open(disk, scheduler, slow, random, options);
  ASSERT_TRUE(opened);
  ring = std::move(*opened);
  int answered = 0;
  const auto post = [&] {
    ring->append(to_bytes("x"), at, [&](Result<Sequence> r) { answered += r ? 1 : 0; });
    scheduler.run_posted();
  };
  post();
  for (int i = 0; i < 30; ++i) post();
  EXPECT_EQ(slow.held.size(), 1U);
  slow.release_one();
  scheduler.run_posted();
  EXPECT_EQ(answered, 1);
  EXPECT_EQ(slow.held.size(), 1U);
  slow.release_one();
  scheduler.run_posted();
  EXPECT_EQ(answered, 31);
  EXPECT_EQ(ring->status().syncs, 2U);
}

TEST_F(RingTest, DroppingItAnswersEverythingThatIsOpen) {
  HeldWorker slow(scheduler);
  auto opened = RingFile::open(disk, scheduler, slow, random, options);
  ASSERT_TRUE(opened);
  ring = std::move(*opened);
  ring->append(to_bytes("kept"), at, [](Result<Sequence>) {});
  scheduler.run_posted();
  slow.release_one();
  scheduler.run_posted();
  // Its payload is too old for memory.
  for (int i = 0; i < 40; ++i) {
    ring->append(to_bytes(large('x')), at, [](Result<Sequence> r) { EXPECT_TRUE(r); });
  }
  scheduler.run_posted();
  while (!slow.held.empty()) {
    slow.release_one();
    scheduler.run_posted();
  }

  std::vector<Errc> answers;
  const auto note = [&](const auto& result) { answers.push_back(result.error().code); };
  ring->append(to_bytes("in flight"), at, [&](Result<Sequence> r) { note(r); });
  ring->flush([&](Result<void> r) { note(r); });
  scheduler.run_posted();
  ring->append(to_bytes("waiting"), at, [&](Result<Sequence> r) { note(r); });
  ring->flush([&](Result<void> r) { note(r); });
  ring->peek(1, [&](Result<Bytes> r) { note(r); });
  ring->ack(2);
  ring.reset();
  EXPECT_EQ(answers, std::vector<Errc>(5, Errc::cancelled));
  while (!slow.held.empty()) slow.release_one();
  scheduler.run_posted();
  EXPECT_EQ(answers.size(), 5U);
}

TEST_F(RingTest, WhatComesWhileAnIdleRingIsFlushedIsTaken) {
  HeldWorker slow(scheduler);
  auto opened = RingFile::open(disk, scheduler, slow, random, options);
  ASSERT_TRUE(opened);
  ring = std::move(*opened);
  bool flushed = false;
  ring->flush([&](Result<void> r) { flushed = r.has_value(); });
  scheduler.run_posted();
  bool taken = false;
  ring->append(to_bytes("meanwhile"), at, [&](Result<Sequence> r) { taken = r.has_value(); });
  while (!slow.held.empty()) {
    slow.release_one();
    scheduler.run_posted();
  }
  EXPECT_TRUE(flushed);
  EXPECT_TRUE(taken);
}

TEST_F(RingTest, AFullInboxDropsTheOldestExpendableFirst) {
  options.bytes = 64 * 1024;
  options.when_full = WhenFull::drop_oldest;
  open();
  std::vector<Sequence> dropped;
  ring->on_dropped([&](const Entry& e, RingFile::Loss loss) {
    EXPECT_EQ(loss, RingFile::Loss::dropped_when_full);
    dropped.push_back(e.sequence);
  });
  for (Sequence s = 1; s <= 40; ++s) {
    ASSERT_TRUE(append(large('x', 1000), s % 4 == 2 ? Worth::expendable : Worth::normal)) << s;
  }
  // 21 fit. Statuses went first while there were any, then the oldest of all.
  EXPECT_EQ(dropped, (std::vector<Sequence>{2, 6, 10, 14, 18, 22, 26, 1, 3, 30, 4, 5, 7, 34, 8, 9,
                                            11, 38, 12}));
  EXPECT_EQ(ring->status().dropped, 19U);
  cut_and_open();
  EXPECT_EQ(ring->first()->sequence, 13U);
  EXPECT_EQ(ring->status().pending, 21U);
}

TEST_F(RingTest, AFullInboxRefusesWhenNothingIsThereToDrop) {
  options.bytes = 64 * 1024;
  options.when_full = WhenFull::drop_oldest;
  open();
  int refused = 0;
  for (int i = 0; i < 40; ++i) {  // all in one turn: none is pending yet
    ring->append(Bytes(1000), at, [&](Result<Sequence> r) { refused += r ? 0 : 1; });
  }
  scheduler.run_posted();
  EXPECT_EQ(refused, 19);
}

TEST_F(RingTest, RefusesPayloadsThatAreTooLong) {
  open();
  EXPECT_EQ(append(std::string(kMaxPayloadBytes + 1, 'x')).error().code, Errc::malformed);
  EXPECT_EQ(append("").has_value(), true);
  options.path = "big.ring";
  options.bytes = 8 << 20;
  open();
  ASSERT_TRUE(append(std::string(kMaxPayloadBytes, 'x')));
  cut_and_open();
}

TEST_F(RingTest, RefusesSizesThatMakeNoSense) {
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{60'000}, std::uint64_t{5} << 30}) {
    options.bytes = bytes;
    EXPECT_EQ(RingFile::open(disk, scheduler, worker, random, options).error().code,
              Errc::malformed);
  }
}

TEST_F(RingTest, WalksEntriesInOrderAndFindsTheOldOnes) {
  open();
  for (int i = 0; i < 5; ++i) {
    at = Wall::from_unix(1000 + i);
    ASSERT_TRUE(append(std::to_string(i)));
  }
  ring->ack(2);
  std::vector<Sequence> walked;
  for (auto entry = ring->first(); entry; entry = ring->next(entry->sequence))
    walked.push_back(entry->sequence);
  EXPECT_EQ(walked, (std::vector<Sequence>{1, 3, 4, 5}));
  EXPECT_FALSE(ring->find(2));
  EXPECT_EQ(ring->find(3)->accepted_at, Wall::from_unix(1002));
  EXPECT_EQ(ring->status().oldest, Wall::from_unix(1000));
  const auto old = ring->accepted_before(Wall::from_unix(1003));
  ASSERT_EQ(old.size(), 2U);
  EXPECT_EQ(old[1].sequence, 3U);
}

TEST_F(RingTest, ShowsAcknowledgedPayloadsAsLongAsTheyAreThere) {
  options.bytes = 64 * 1024;
  open();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(append(std::to_string(i) + large('.', 500)));
    ring->ack(static_cast<Sequence>(i + 1));
  }
  ASSERT_TRUE(flush());
  cut_and_open();
  EXPECT_EQ(ring->status().pending, 0U);
  std::vector<Sequence> seen;
  ASSERT_TRUE(ring->for_each_recent(20, [&](const Entry& e, ByteView payload) {
    seen.push_back(e.sequence);
    EXPECT_EQ(to_string(payload), std::to_string(e.sequence - 1) + large('.', 500));
  }));
  ASSERT_EQ(seen.size(), 20U);
  EXPECT_EQ(seen.front(), 281U);
  EXPECT_EQ(seen.back(), 300U);
  std::size_t all = 0;
  ASSERT_TRUE(ring->for_each_recent(1'000'000, [&](const Entry&, ByteView) { ++all; }));
  EXPECT_GT(all, 50U);
  EXPECT_LT(all, 300U);
}

TEST_F(RingTest, AFlushAlsoWritesAcknowledgements) {
  open();
  ASSERT_TRUE(append("x"));
  ring->ack(1);
  ring->ack(1);
  ring->ack(99);
  ASSERT_TRUE(flush());
  EXPECT_EQ(ring->status().acknowledged, 1U);
  cut_and_open();
  EXPECT_EQ(ring->status().pending, 0U);
}

TEST_F(RingTest, ThousandsOfAcknowledgementsTakeSeveralBatches) {
  options.bytes = 4 << 20;
  open();
  for (int i = 0; i < 10'000; ++i) ring->append(to_bytes("x"), at, [](Result<Sequence>) {});
  scheduler.run_posted();
  for (Sequence s = 1; s <= 10'000; ++s) ring->ack(s);
  scheduler.advance(seconds(2));
  cut_and_open();
  EXPECT_EQ(ring->status().pending, 0U);
  EXPECT_EQ(append("next"), 10'001U);
}

TEST_F(RingTest, KeepsItsSizeWhileWhatWaitsDoesNotFitTheNewOne) {
  open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(append(large('x', 1000)));
  options.bytes = 64 * 1024;
  open();
  EXPECT_FALSE(ring->recovery().resized);
  EXPECT_EQ(pending().size(), 100U);
  for (Sequence s = 1; s <= 99; ++s) ring->ack(s);
  ASSERT_TRUE(append(large('y', 10'000)));  // more than the small ring takes at all
  ASSERT_TRUE(flush());
  open();
  EXPECT_FALSE(ring->recovery().resized);
  ring->ack(101);
  ASSERT_TRUE(flush());
  open();
  EXPECT_TRUE(ring->recovery().resized);
  EXPECT_EQ(disk.content(kPath)->size(), 64U * 1024);
  EXPECT_EQ(pending(), Strings{large('x', 1000)});
  EXPECT_EQ(append("next"), 102U);
}

TEST_F(RingTest, KeepsItsSizeWhenThereIsNoSpaceForTheNewFile) {
  open();
  ASSERT_TRUE(append("x"));
  options.bytes *= 2;
  disk.fault = [](MemDisk::Call call) -> std::optional<MemDisk::Fault> {
    if (call == MemDisk::Call::create) return MemDisk::Fault{Errc::full, 0};
    return std::nullopt;
  };
  open();
  EXPECT_FALSE(ring->recovery().resized);
  EXPECT_EQ(pending(), Strings{"x"});
}

TEST_F(RingTest, GoesOnFromAMigrationThatWasCutBetweenItsRenames) {
  open();
  ASSERT_TRUE(append("x"));
  ring.reset();
  ASSERT_TRUE(disk.rename(kPath, "outbox.ring.new"));
  open();
  EXPECT_EQ(pending(), Strings{"x"});
  EXPECT_FALSE(ring->recovery().created);
}

TEST_F(RingTest, MovesToLargerBlocksOnADeviceWithLargerSectors) {
  open();
  ASSERT_TRUE(append("x"));
  ASSERT_TRUE(append("y"));
  ring->ack(1);
  ASSERT_TRUE(flush());
  ring.reset();
  MemDisk other(4096);
  other.put(kPath, *disk.content(kPath));
  auto opened = RingFile::open(other, scheduler, worker, random, options);
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->first()->sequence, 2U);
  Result<Sequence> answer = 0;
  (*opened)->append(to_bytes("z"), at, [&](Result<Sequence> r) { answer = std::move(r); });
  scheduler.run_posted();
  EXPECT_EQ(answer, 3U);
  opened->reset();
}

TEST_F(RingTest, MakesSmallRingsLargerWhereSectorsAre) {
  MemDisk other(4096);
  options.bytes = 64 * 1024;
  auto opened = RingFile::open(other, scheduler, worker, random, options);
  ASSERT_TRUE(opened);
  EXPECT_EQ(other.content(kPath)->size(), 128U * 1024);
  opened->reset();
  opened = RingFile::open(other, scheduler, worker, random, options);
  ASSERT_TRUE(opened);
  EXPECT_FALSE((*opened)->recovery().resized);
}

TEST_F(RingTest, SavesWhatIsLeftOfAFileThatWasCutShort) {
  open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(append(std::to_string(i)));
  ring.reset();
  disk.content(kPath)->resize(20'480);
  open();
  EXPECT_EQ(ring->recovery().set_aside, "outbox.ring.damaged");
  EXPECT_EQ(pending().size(), 32U);
  EXPECT_EQ(disk.content("outbox.ring.damaged")->size(), 20'480U);
}

TEST_F(RingTest, SavesWhatADeviceStillReads) {
  open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(append(std::to_string(i)));
  ring.reset();
  bool broken = true;
  bad_range = {8192, 8193};
  install_bad_range(broken);
  open();
  broken = false;
  EXPECT_EQ(ring->recovery().set_aside, "outbox.ring.damaged");
  EXPECT_EQ(pending().size(), 42U);
  EXPECT_EQ(ring->recovery().lost.size(), 8U);
  EXPECT_EQ(append("next"), 51U);
}

TEST_F(RingTest, DoesNotTouchAFileWhoseSuperblocksCannotBeRead) {
  open();
  ASSERT_TRUE(append("x"));
  ring.reset();
  disk.fault = [](MemDisk::Call call) -> std::optional<MemDisk::Fault> {
    if (call == MemDisk::Call::read) return MemDisk::Fault{};
    return std::nullopt;
  };
  EXPECT_EQ(RingFile::open(disk, scheduler, worker, random, options).error().code, Errc::io);
  disk.fault = nullptr;
  open();
  EXPECT_EQ(pending(), Strings{"x"});
}

/// Writes a batch as a later version might, with a record of a type that we do not know.
TEST_F(RingTest, StepsOverRecordsOfLaterVersions) {
  open();
  ASSERT_TRUE(append("x"));
  ring.reset();
  Bytes& content = *disk.content(kPath);
  const Geometry geometry = *decode_superblock(ByteView(content).first(kSuperblockBytes));
  const std::size_t start = static_cast<std::size_t>(geometry.offset_of(1));
  const auto block = std::span(content).subspan(start, 512);
  encode_batch_header({.blocks = 1,
                       .number = 500,
                       .position = 1,
                       .previous_end = 1,
                       .next_sequence = 8,
                       .records = 2,
                       .entries = 1},
                      geometry, block);
  const Bytes payload = to_bytes("from the future");
  RecordHeader record{.payload_crc = payload_crc(geometry, payload),
                      .length = 15,
                      .type = static_cast<RecordType>(77),
                      .batch = 500};
  encode_record_header(record, geometry, start + 64, block.subspan(64));
  std::copy(payload.begin(), payload.end(), block.begin() + 104);
  record.type = RecordType::entry;
  record.sequence = 7;
  encode_record_header(record, geometry, start + 120, block.subspan(120));
  std::copy(payload.begin(), payload.end(), block.begin() + 160);
  open();
  EXPECT_EQ(pending(), (Strings{"x", "from the future"}));
  EXPECT_EQ(ring->recovery().damaged + ring->recovery().torn, 0U);
  EXPECT_EQ(append("next"), 8U);
}

/// Rewrites a field of both superblocks and their checksums.
void edit_superblocks(Bytes& content, std::size_t at, std::uint16_t value) {
  for (const std::size_t start : {std::size_t{0}, content.size() - kSuperblockArea}) {
    const auto block = std::span(content).subspan(start, kSuperblockBytes);
    std::memcpy(&block[at], &value, sizeof value);
    const std::uint32_t crc = crc32c(0, block.first(60));
    std::memcpy(&block[60], &crc, sizeof crc);
  }
}

TEST_F(RingTest, ReadsWhatALaterMinorVersionWrote) {
  open();
  ASSERT_TRUE(append("before the rollback"));
  ring.reset();
  edit_superblocks(*disk.content(kPath), 10, 7);
  open();
  EXPECT_EQ(pending(), Strings{"before the rollback"});
  EXPECT_EQ(ring->recovery().set_aside, "");
}

TEST_F(RingTest, KeepsAFileOfAnotherVersionUnderAnotherName) {
  open();
  ASSERT_TRUE(append("of version 2"));
  ring.reset();
  edit_superblocks(*disk.content(kPath), 8, 2);
  const Bytes before = *disk.content(kPath);
  open();
  EXPECT_EQ(pending(), Strings{});
  EXPECT_EQ(ring->recovery().set_aside, std::string(kPath) + ".version2");
  EXPECT_EQ(*disk.content("outbox.ring.version2"), before);
  EXPECT_TRUE(append("goes on"));
}

TEST_F(RingTest, AWeekOfAShopWritesNoBlockMuchMoreOftenThanOthers) {
  options.bytes = 64 * 1024;
  open();
  disk.count_blocks = true;
  std::mt19937_64 dice(3);
  for (int message = 0; message < 7 * 800; ++message) {  // some hundred receipts a day
    const auto sequence = append(large('x', 300 + dice() % 500));
    ASSERT_TRUE(sequence);
    if (dice() % 4 == 0) scheduler.advance(seconds(3));
    if (dice() % 50 != 0) ring->ack(*sequence);
    while (ring->status().pending > 20) ring->ack(ring->first()->sequence);
  }
  std::uint64_t total = 0, hottest = 0;
  for (const auto& [offset, count] : disk.writes_by_offset) {
    total += count;
    hottest = std::max(hottest, count);
  }
  const double mean = static_cast<double>(total) / 112;  // blocks of the ring
  EXPECT_LE(static_cast<double>(hottest), 2 * mean);
  RecordProperty("hottest_over_mean", std::to_string(static_cast<double>(hottest) / mean));
}

TEST_F(RingTest, AFlushOfMoreAcknowledgementsThanABatchTakesEndsOnADeadDisk) {
  options.bytes = std::size_t{2} << 20;
  open();
  constexpr int kMany = 5000;
  int kept = 0;
  for (int i = 0; i < kMany; ++i) {
    ring->append(to_bytes("x"), at, [&](Result<Sequence> r) { kept += r ? 1 : 0; });
  }
  scheduler.run_posted();
  ASSERT_EQ(kept, kMany);
  for (auto entry = ring->first(); entry; entry = ring->next(entry->sequence)) {
    ring->ack(entry->sequence);
  }
  int writes = 0;
  disk.fault = [&writes](test::MemDisk::Call call) -> std::optional<test::MemDisk::Fault> {
    if (call != test::MemDisk::Call::write) return std::nullopt;
    // A loop without an end would never come back from run_posted().
    if (++writes > 100) throw std::runtime_error("the dead disk is written to for ever");
    return test::MemDisk::Fault{};
  };
  EXPECT_EQ(flush().error().code, Errc::io);
  EXPECT_LE(writes, 2);
  disk.fault = nullptr;
  scheduler.advance(minutes(1));
  EXPECT_TRUE(flush());
  EXPECT_EQ(ring->status().pending, 0U);
  cut_and_open();
  EXPECT_TRUE(pending().empty()) << "what could not be written then is written now";
}

}  // namespace
}  // namespace posthorn::queue
