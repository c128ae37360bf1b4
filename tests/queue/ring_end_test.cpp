#include "ring_fixture.h"

namespace posthorn::queue {
namespace {

constexpr const char* kNote = "outbox.ring.end";

class RingEndTest : public RingTest {
 protected:
  RingEndTest() { options.bytes = 4 << 20; }

  Result<void> end() {
    Result<void> answer = fail(Errc::timeout, "not answered");
    ring->end([&](Result<void> r) { answer = std::move(r); });
    scheduler.run_posted();
    return answer;
  }
  /// `count` entries of which every fifth stays.
  void fill(int count) {
    for (int i = 0; i < count; ++i) {
      const auto sequence = append(std::to_string(i) + large('.', 500));
      ASSERT_TRUE(sequence);
      if (*sequence % 5 != 0) ring->ack(*sequence);
    }
  }
  std::uint64_t reads_to_open() {
    ring.reset();
    const std::uint64_t before = disk.counters.reads;
    open();
    return disk.counters.reads - before;
  }
};

TEST_F(RingEndTest, AfterACleanEndTheEndIsNotSearchedFor) {
  open();
  fill(20);
  ASSERT_TRUE(flush());
  const auto found = pending();
  EXPECT_GT(reads_to_open(), 50U) << "the whole file, after an end that was none";
  EXPECT_EQ(pending(), found);
  ASSERT_TRUE(end());
  EXPECT_LT(reads_to_open(), 12U);
  EXPECT_EQ(pending(), found);
  EXPECT_EQ(append("next"), 21U);
}

TEST_F(RingEndTest, WhatIsWrittenAfterACleanEndIsFoundAfterACut) {
  open();
  for (int life = 0; life < 30; ++life) {
    fill(100);
    ASSERT_TRUE(end());
    open();
    const auto sequence = append("behind the note");
    ASSERT_TRUE(sequence);
    const auto before = pending();
    // All that was not synced goes, of the note too.
    ring.reset();
    scheduler.run_posted();
    const auto after = disk.after_cut([](std::size_t) { return test::MemDisk::Fate::lost; });
    for (const char* name : {kPath, kNote}) {
      if (Bytes* content = after->content(name)) disk.put(name, *content);
    }
    open();
    ASSERT_EQ(pending(), before);
    ASSERT_TRUE(ring->find(*sequence));
    while (const auto first = ring->first()) ring->ack(first->sequence);
  }
}

/// The release before leaves the note where it is.
TEST_F(RingEndTest, ANoteThatIsOlderThanTheRingIsSeenThrough) {
  options.bytes = 64 * 1024;
  open();
  std::uint64_t stale = 0;
  for (int round = 0; round < 120; ++round) {
    fill(1 + round % 3);
    ASSERT_TRUE(end());
    const Bytes note = *disk.content(kNote);
    open();
    for (int more = 0; more <= round % 4; ++more) {
      const auto sequence = append(large('x', static_cast<std::size_t>(200 + 97 * round % 1500)));
      ASSERT_TRUE(sequence);
      stale = *sequence;
    }
    ring.reset();
    disk.put(kNote, note);
    open();
    ASSERT_TRUE(ring->find(stale)) << "round " << round;
    EXPECT_EQ(ring->recovery().damaged, 0U);
    while (const auto first = ring->first()) ring->ack(first->sequence);
  }
}

TEST_F(RingEndTest, ADamagedNoteCostsTimeAndNothingElse) {
  open();
  fill(20);
  ASSERT_TRUE(end());
  const Bytes note = *disk.content(kNote);
  const auto found = pending();
  for (std::size_t byte = 0; byte < 36; ++byte) {
    Bytes flipped = note;
    flipped[byte] ^= std::byte{0x10};
    ring.reset();
    disk.put(kNote, flipped);
    EXPECT_GT(reads_to_open(), 50U) << byte;
    EXPECT_EQ(pending(), found);
  }
  ring.reset();
  disk.put(kNote, Bytes(100));
  open();
  EXPECT_EQ(pending(), found);
  ASSERT_TRUE(end());
  EXPECT_LT(reads_to_open(), 12U) << "made anew";
}

TEST_F(RingEndTest, ANoteOfAnotherRingCountsForNothing) {
  open();
  fill(20);
  ASSERT_TRUE(end());
  const Bytes note = *disk.content(kNote);
  ring.reset();
  ASSERT_TRUE(disk.remove(kPath));
  open();
  fill(20);
  ring.reset();
  disk.put(kNote, note);
  EXPECT_GT(reads_to_open(), 50U);
  EXPECT_EQ(pending().size(), 4U);
}

TEST_F(RingEndTest, NothingIsWrittenWhileTheNoteCannotBeErased) {
  open();
  fill(20);
  ASSERT_TRUE(end());
  open();
  const Bytes ring_before = *disk.content(kPath);
  disk.fault = [](test::MemDisk::Call call) -> std::optional<test::MemDisk::Fault> {
    if (call != test::MemDisk::Call::write && call != test::MemDisk::Call::remove) return {};
    return test::MemDisk::Fault{Errc::io, 0};
  };
  EXPECT_FALSE(append("refused"));
  EXPECT_EQ(*disk.content(kPath), ring_before);
  disk.fault = nullptr;
  ASSERT_TRUE(append("taken"));
  const auto before = pending();
  open();
  EXPECT_EQ(pending(), before);
}

TEST_F(RingEndTest, TheNewestAreFoundWithoutReadingTheRest) {
  open();
  fill(4000);
  ASSERT_TRUE(end());
  open();
  const std::uint64_t before = disk.counters.reads;
  std::vector<Sequence> seen;
  ASSERT_TRUE(ring->for_each_recent(
      50, [&](const Entry& entry, ByteView) { seen.push_back(entry.sequence); }));
  EXPECT_EQ(seen.size(), 50U);
  EXPECT_EQ(seen.front(), 3951U);
  EXPECT_EQ(seen.back(), 4000U);
  EXPECT_LT(disk.counters.reads - before, 8U);
}

/// A slow disk: the time for the end is up while the note is being written.
TEST_F(RingEndTest, WhoeverClosesMeanwhileIsAnsweredOnce) {
  HeldWorker slow(scheduler);
  auto opened = RingFile::open(disk, scheduler, slow, random, options);
  ASSERT_TRUE(opened);
  ring = std::move(*opened);
  ring->append(to_bytes("kept"), at, [](Result<Sequence>) {});
  scheduler.run_posted();
  slow.release_one();
  scheduler.run_posted();
  std::vector<Errc> answers;
  ring->end(
      [&](const Result<void>& r) { answers.push_back(r ? Errc::malformed : r.error().code); });
  for (int turn = 0; turn < 10 && slow.held.empty(); ++turn) scheduler.run_posted();
  ASSERT_EQ(slow.held.size(), 1U);
  ring.reset();
  EXPECT_EQ(answers, std::vector<Errc>{Errc::cancelled});
  slow.release_one();
  scheduler.run_posted();
  EXPECT_EQ(answers.size(), 1U);
}

}  // namespace
}  // namespace posthorn::queue
