#include <algorithm>

#include "queue/layout.h"
#include "queue/ring_fixture.h"

namespace posthorn::queue {
namespace {

using Strings = std::vector<std::string>;
using test::MemDisk;

TEST_F(RingTest, APeekFindsAnEntryThatMovedMeanwhile) {
  options.bytes = 64 * 1024;
  open();
  ASSERT_TRUE(append(large('o', 1000)));
  cut_and_open();  // out of memory, on disk
  std::uint64_t rounds = 0;
  const auto fill = [&] {
    while (ring->status().moved == 0) {
      const auto sequence = append(large('x', 1000));
      ASSERT_TRUE(sequence);
      ring->ack(*sequence);
      ++rounds;
    }
  };
  fill();
  EXPECT_EQ(peek(1), large('o', 1000));

  // The same with the read still under way while the entry moves and its place is written over.
  cut_and_open();
  HeldWorker slow(scheduler);
  ring.reset();
  scheduler.run_posted();
  auto opened = RingFile::open(disk, scheduler, slow, random, options);
  ASSERT_TRUE(opened);
  ring = std::move(*opened);
  Result<Bytes> payload = fail(Errc::timeout, "");
  ring->peek(1, [&](Result<Bytes> r) { payload = std::move(r); });
  ASSERT_EQ(slow.held.size(), 1U);
  auto [read, read_done] = std::move(slow.held.front());
  slow.held.pop_front();
  for (std::uint64_t i = 0; i < 3 * rounds; ++i) {
    Sequence sequence = 0;
    ring->append(to_bytes(large('y', 1000)), at, [&](Result<Sequence> r) { sequence = *r; });
    scheduler.run_posted();
    while (!slow.held.empty()) {  // one batch, or one to tidy first
      slow.release_one();
      scheduler.run_posted();
    }
    ring->ack(sequence);
  }
  ASSERT_GT(ring->status().moved, 0U);
  read();
  read_done();
  ASSERT_EQ(slow.held.size(), 1U) << "it looks again where the entry is now";
  slow.release_one();
  scheduler.run_posted();
  ASSERT_TRUE(payload) << to_string(payload.error());
  EXPECT_EQ(to_string(ByteView(*payload)), large('o', 1000));
}

TEST_F(RingTest, AnAcknowledgedEntryIsNotReadOut) {
  HeldWorker slow(scheduler);
  open();
  ASSERT_TRUE(append("x"));
  ring.reset();
  auto opened = RingFile::open(disk, scheduler, slow, random, options);
  ASSERT_TRUE(opened);
  ring = std::move(*opened);
  Result<Bytes> payload = fail(Errc::timeout, "");
  ring->peek(1, [&](Result<Bytes> r) { payload = std::move(r); });
  ring->ack(1);
  slow.release_one();
  scheduler.run_posted();
  EXPECT_EQ(payload.error().code, Errc::not_found);
}

TEST_F(RingTest, ADamagedPayloadIsGivenUpAndTold) {
  open();
  ASSERT_TRUE(append("first"));
  ASSERT_TRUE(append("second"));
  ASSERT_TRUE(append("third"));
  cut_and_open();
  std::vector<std::pair<Sequence, RingFile::Loss>> losses;
  ring->on_dropped(
      [&](const Entry& e, RingFile::Loss loss) { losses.emplace_back(e.sequence, loss); });
  Bytes& content = *disk.content(kPath);
  const auto word = as_bytes("second");
  *std::search(content.begin(), content.end(), word.begin(), word.end()) = std::byte{'S'};
  EXPECT_EQ(peek(2).error().code, Errc::malformed);
  EXPECT_EQ(peek(2).error().code, Errc::not_found);
  EXPECT_EQ(losses,
            (std::vector<std::pair<Sequence, RingFile::Loss>>{{2, RingFile::Loss::unreadable}}));
  EXPECT_EQ(ring->status().unreadable, 1U);
  EXPECT_EQ(pending(), (Strings{"first", "third"}));
  const auto third = as_bytes("third");
  *std::search(content.begin(), content.end(), third.begin(), third.end()) = std::byte{'T'};
  EXPECT_EQ(pending(), Strings{"first"});
}

TEST_F(RingTest, ABacklogIsReadInPiecesNotOneByOne) {
  options.bytes = 1024 * 1024;
  open();
  constexpr std::uint64_t kEntries = 40;
  for (std::uint64_t i = 1; i <= kEntries; ++i) ASSERT_TRUE(append(large('p', 900)));
  ASSERT_TRUE(append(large('L', 40'000)));
  ASSERT_TRUE(append("behind it"));
  cut_and_open();
  std::uint64_t reads = 0;
  disk.fault = [&](MemDisk::Call call) -> std::optional<MemDisk::Fault> {
    if (call == MemDisk::Call::read) ++reads;
    return std::nullopt;
  };
  for (std::uint64_t i = 1; i <= kEntries; ++i) {
    ASSERT_EQ(peek(i), large('p', 900)) << i;
    ring->ack(i);
  }
  EXPECT_LE(reads, 4U);  // 1 KiB each on the disk, 16 KiB at a time
  EXPECT_EQ(peek(kEntries + 1), large('L', 40'000));
  EXPECT_EQ(peek(kEntries + 2), "behind it");
  // What is new is not hidden by what was read ahead.
  ASSERT_TRUE(append("new"));
  EXPECT_EQ(peek(kEntries + 3), "new");
}

TEST_F(RingTest, WhatWasReadAheadIsGoneWhenItIsAcknowledged) {
  open();
  for (const char* text : {"first", "second", "third"}) ASSERT_TRUE(append(text));
  cut_and_open();
  EXPECT_EQ(peek(1), "first");
  ring->ack(2);
  EXPECT_EQ(peek(2).error().code, Errc::not_found);
  EXPECT_EQ(peek(3), "third");
}

TEST_F(RingTest, WhatIsAcknowledgedDuringTheReadIsNotKept) {
  HeldWorker slow(scheduler);
  open();
  for (const char* text : {"first", "second", "third"}) ASSERT_TRUE(append(text));
  ring.reset();
  auto opened = RingFile::open(disk, scheduler, slow, random, options);
  ASSERT_TRUE(opened);
  ring = std::move(*opened);
  std::vector<Result<Bytes>> answers;
  const auto keep = [&](Result<Bytes> r) { answers.push_back(std::move(r)); };
  ring->peek(1, keep);
  ring->ack(2);
  slow.release_one();
  scheduler.run_posted();
  ring->peek(2, keep);
  ring->peek(3, keep);
  scheduler.run_posted();
  ASSERT_EQ(answers.size(), 3U) << "the third needs no read of its own";
  EXPECT_EQ(to_string(ByteView(*answers[0])), "first");
  EXPECT_EQ(answers[1].error().code, Errc::not_found);
  EXPECT_EQ(to_string(ByteView(*answers[2])), "third");
}

TEST_F(RingTest, ABadNeighbourDoesNotHarmTheOneThatIsAskedFor) {
  open();
  for (char c : {'a', 'b', 'c'}) ASSERT_TRUE(append(large(c, 2000)));
  cut_and_open();
  // The device does not give the second.
  Bytes& content = *disk.content(kPath);
  const Bytes second = to_bytes(large('b', 2000));
  const auto found = std::search(content.begin(), content.end(), second.begin(), second.end());
  const auto offset = static_cast<std::uint64_t>(found - content.begin());
  bad_range = {offset + 512, offset + 1024};
  bool broken = true;
  install_bad_range(broken);
  EXPECT_EQ(peek(1), large('a', 2000));
  EXPECT_EQ(peek(2).error().code, Errc::io);
  EXPECT_EQ(peek(3), large('c', 2000));
  broken = false;
  EXPECT_EQ(peek(2), large('b', 2000));
  // It gives something else: told when its turn comes, not earlier.
  cut_and_open();
  const auto again = std::search(disk.content(kPath)->begin(), disk.content(kPath)->end(),
                                 second.begin(), second.end());
  *again = std::byte{'B'};
  EXPECT_EQ(peek(1), large('a', 2000));
  EXPECT_EQ(ring->status().unreadable, 0U);
  EXPECT_EQ(peek(2).error().code, Errc::malformed);
  EXPECT_EQ(ring->status().unreadable, 1U);
  EXPECT_EQ(peek(3), large('c', 2000));
}

TEST_F(RingTest, AReadErrorLeavesTheEntryWhereItIs) {
  open();
  ASSERT_TRUE(append("x"));
  cut_and_open();
  disk.fault = [](MemDisk::Call call) -> std::optional<MemDisk::Fault> {
    if (call == MemDisk::Call::read) return MemDisk::Fault{};
    return std::nullopt;
  };
  EXPECT_EQ(peek(1).error().code, Errc::io);
  EXPECT_FALSE(ring->for_each_pending([](const Entry&, ByteView) {}));
  EXPECT_FALSE(ring->for_each_recent(10, [](const Entry&, ByteView) {}));
  disk.fault = nullptr;
  EXPECT_EQ(peek(1), "x");
}

TEST_F(RingTest, ABadSectorHoldsTheRoomBehindItOnlyUntilItIsDone) {
  options.bytes = 64 * 1024;
  open();
  ASSERT_TRUE(append(large('b', 1000)));
  cut_and_open();
  const std::size_t bad = kSuperblockArea;
  bool broken = true;
  disk.fault = nullptr;
  bad_range = {bad, bad + 512};
  install_bad_range(broken);
  std::uint64_t stored = 0;
  for (; stored < 500; ++stored) {
    const auto sequence = append(large('x', 1000));
    if (!sequence) break;
    ring->ack(*sequence);
  }
  EXPECT_LT(stored, 200U);
  EXPECT_EQ(append("more").error().code, Errc::full);
  EXPECT_TRUE(flush());
  // Acknowledgements have a reserve, and wait in memory when even that is used up.
  EXPECT_EQ(ring->first()->sequence, 1U);
  broken = false;
  EXPECT_EQ(peek(1), large('b', 1000));
  EXPECT_TRUE(append("more"));
  ring->ack(1);
  for (int i = 0; i < 200; ++i) {
    const auto sequence = append(large('x', 1000));
    ASSERT_TRUE(sequence);
    ring->ack(*sequence);
  }
}

TEST_F(RingTest, AnUnreadableEntryIsLeftBehindWhenItWouldMove) {
  options.bytes = 64 * 1024;
  open();
  ASSERT_TRUE(append("damaged"));
  ASSERT_TRUE(append("whole"));
  Bytes& content = *disk.content(kPath);
  const auto word = as_bytes("damaged");
  *std::search(content.begin(), content.end(), word.begin(), word.end()) = std::byte{'D'};
  std::vector<Sequence> lost;
  ring->on_dropped([&](const Entry& e, RingFile::Loss) { lost.push_back(e.sequence); });
  for (int i = 0; i < 300; ++i) {
    const auto sequence = append(large('x', 1000));
    ASSERT_TRUE(sequence);
    ring->ack(*sequence);
  }
  EXPECT_EQ(lost, std::vector<Sequence>{1});
  cut_and_open();
  EXPECT_EQ(pending().front(), "whole");
  EXPECT_EQ(ring->recovery().damaged, 0U);
}

}  // namespace
}  // namespace posthorn::queue
