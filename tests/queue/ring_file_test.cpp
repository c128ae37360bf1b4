#include "posthorn/queue/ring_file.h"

#include "queue/ring_fixture.h"

namespace posthorn::queue {
namespace {

using Strings = std::vector<std::string>;

TEST_F(RingTest, KeepsWhatItConfirmedThroughAPowerCut) {
  open();
  ASSERT_EQ(append("one"), 1U);
  ASSERT_EQ(append("two"), 2U);
  cut_and_open();
  EXPECT_EQ(pending(), (Strings{"one", "two"}));
  EXPECT_EQ(ring->recovery().pending, 2U);
  EXPECT_EQ(append("three"), 3U);
}

TEST_F(RingTest, ForgetsAcknowledgedEntriesForGoodAfterTheDelay) {
  open();
  ASSERT_TRUE(append("one"));
  ASSERT_TRUE(append("two"));
  ring->ack(1);
  EXPECT_EQ(ring->first()->sequence, 2U);
  scheduler.advance(options.ack_delay);
  cut_and_open();
  EXPECT_EQ(pending(), Strings{"two"});
}

TEST_F(RingTest, AnAcknowledgementRidesWithTheNextSync) {
  open();
  ASSERT_TRUE(append("one"));
  const std::uint64_t before = disk.counters.syncs;
  ring->ack(1);
  scheduler.run_posted();
  EXPECT_EQ(disk.counters.syncs, before);
  ASSERT_TRUE(append("two"));
  EXPECT_EQ(disk.counters.syncs, before + 1);
  cut_and_open();
  EXPECT_EQ(pending(), Strings{"two"});
}

TEST_F(RingTest, OneTurnOfTheLoopSharesOneWriteAndOneSync) {
  open();
  const auto before = disk.counters;
  int answered = 0;
  for (int i = 0; i < 50; ++i) {
    ring->append(to_bytes("x"), at, [&](Result<Sequence> r) { answered += r ? 1 : 0; });
  }
  EXPECT_EQ(answered, 0);
  scheduler.run_posted();
  EXPECT_EQ(answered, 50);
  EXPECT_EQ(disk.counters.writes, before.writes + 1);
  EXPECT_EQ(disk.counters.syncs, before.syncs + 1);
}

TEST_F(RingTest, PeeksFromDiskAndFromMemory) {
  open();
  ASSERT_TRUE(append("fresh"));
  EXPECT_EQ(peek(1), "fresh");
  cut_and_open();
  EXPECT_EQ(peek(1), "fresh");
  ring->ack(1);
  EXPECT_EQ(peek(1).error().code, Errc::not_found);
  EXPECT_EQ(peek(77).error().code, Errc::not_found);
}

TEST_F(RingTest, RefusesWhenFullAndGoesOnAfterAcks) {
  options.bytes = 64 * 1024;
  open();
  const std::string text(500, 'a');
  std::uint64_t stored = 0;
  while (append(text)) ++stored;
  EXPECT_EQ(append(text).error().code, Errc::full);
  EXPECT_GT(stored * 544, ring->status().capacity_bytes - 600);
  for (Sequence s = 1; s <= 3; ++s) ring->ack(s);
  EXPECT_TRUE(append(text));
  cut_and_open();
  EXPECT_EQ(pending().size(), stored - 2);
}

TEST_F(RingTest, OneOldEntryDoesNotHoldUpTheRing) {
  options.bytes = 64 * 1024;
  open();
  ASSERT_TRUE(append("old"));
  const std::string text(500, 'a');
  for (int i = 0; i < 2000; ++i) {
    const auto sequence = append(text);
    ASSERT_TRUE(sequence) << i << to_string(sequence.error());
    ring->ack(*sequence);
  }
  EXPECT_GT(ring->status().moved, 5U);
  cut_and_open();
  EXPECT_EQ(pending().front(), "old");
  EXPECT_EQ(ring->first()->sequence, 1U);
}

}  // namespace
}  // namespace posthorn::queue
