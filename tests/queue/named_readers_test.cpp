#include "queue/named_readers.h"

#include "queue/ring_fixture.h"

namespace posthorn::queue {
namespace {

using Strings = std::vector<std::string>;

class NamedReadersTest : public RingTest {
 protected:
  NamedReadersTest() { open(); }

  RingFile::Reading read(const std::string& reader, Sequence after = 0,
                         std::size_t most_bytes = 1 << 20) {
    RingFile::Reading reading;
    ring->read(reader, after, most_bytes, [&](Result<RingFile::Reading> r) {
      ASSERT_TRUE(r) << to_string(r.error());
      reading = std::move(*r);
    });
    scheduler.run_posted();
    return reading;
  }
  RingFile::Reading latest(Sequence after, std::size_t most_bytes = 1 << 20) {
    RingFile::Reading reading;
    ring->read_latest(after, most_bytes, [&](Result<RingFile::Reading> r) {
      ASSERT_TRUE(r) << to_string(r.error());
      reading = std::move(*r);
    });
    scheduler.run_posted();
    return reading;
  }
  static Strings texts(const RingFile::Reading& reading) {
    Strings all;
    for (const auto& [entry, payload] : reading.entries) all.push_back(to_string(payload));
    return all;
  }
  /// Reads and has done with it.
  Strings take(const std::string& reader) {
    const RingFile::Reading reading = read(reader);
    ring->advance(reader, reading.position);
    return texts(reading);
  }
  RingFile::ReaderStatus status(const std::string& reader) {
    for (const auto& one : ring->readers()) {
      if (one.name == reader) return one;
    }
    ADD_FAILURE() << "no reader " << reader;
    return {};
  }
  void ack_all() {
    while (const auto first = ring->first()) ring->ack(first->sequence);
    ASSERT_TRUE(flush());
  }
};

TEST_F(NamedReadersTest, SeesEverythingFromItsStartOnWhateverTheQueueHasDoneWith) {
  ASSERT_TRUE(append("before"));
  ASSERT_TRUE(ring->add_reader("page", 0));
  ASSERT_TRUE(append("one"));
  ASSERT_TRUE(append("two"));
  ack_all();
  ASSERT_TRUE(append("three"));
  EXPECT_EQ(texts(read("page")), (Strings{"one", "two", "three"}));
  EXPECT_EQ(take("page"), (Strings{"one", "two", "three"})) << "the same until it has done with it";
  EXPECT_EQ(take("page"), Strings{});
  ASSERT_TRUE(append("four"));
  EXPECT_EQ(take("page"), Strings{"four"});
  EXPECT_EQ(pending(), (Strings{"three", "four"})) << "nothing was taken from the queue";
}

TEST_F(NamedReadersTest, EachHasAPositionThatSurvivesRestartsAndPowerCuts) {
  ASSERT_TRUE(ring->add_reader("page", 0));
  ASSERT_TRUE(ring->add_reader("fleet", 7));
  ASSERT_TRUE(append("one"));
  ASSERT_TRUE(append("two"));
  const RingFile::Reading first = read("page", 0, 1);
  EXPECT_EQ(texts(first), Strings{"one"}) << "one at least, whatever was asked for";
  ring->advance("page", first.position);
  ASSERT_TRUE(flush());
  cut_and_open();
  EXPECT_EQ(take("page"), Strings{"two"});
  EXPECT_EQ(take("fleet"), (Strings{"one", "two"}));
  EXPECT_EQ(status("fleet").most_behind, 7U);
  cut_and_open();
  EXPECT_EQ(take("page"), Strings{"two"}) << "what was not synced comes again";
}

TEST_F(NamedReadersTest, APositionIsWrittenWithinTwoSecondsWithoutAnythingElse) {
  ASSERT_TRUE(ring->add_reader("page", 0));
  ASSERT_TRUE(append("one"));
  ring->advance("page", read("page").position);
  scheduler.advance(seconds(2));
  cut_and_open();
  EXPECT_EQ(take("page"), Strings{});
}

TEST_F(NamedReadersTest, ThereAreFourAtMostAndOneMayGo) {
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_TRUE(ring->add_reader(name, 0));
  EXPECT_EQ(ring->add_reader("e", 0).error().code, Errc::full);
  EXPECT_TRUE(ring->add_reader("a", 5)) << "it is there already";
  EXPECT_EQ(ring->add_reader("", 0).error().code, Errc::malformed);
  EXPECT_EQ(ring->add_reader("Page", 0).error().code, Errc::malformed);
  EXPECT_EQ(ring->add_reader("12345678901234567", 0).error().code, Errc::malformed);
  ring->remove_reader("b");
  EXPECT_TRUE(ring->add_reader("e", 0));
  ASSERT_TRUE(flush());
  open();
  EXPECT_EQ(ring->readers().size(), 4U);
  for (const char* name : {"a", "c", "d", "e"}) ring->remove_reader(name);
  ASSERT_TRUE(flush());
  open();
  EXPECT_TRUE(ring->readers().empty());
  Errc code{};
  ring->read("a", 0, 1, [&](const Result<RingFile::Reading>& r) { code = r.error().code; });
  scheduler.run_posted();
  EXPECT_EQ(code, Errc::not_found);
}

TEST_F(NamedReadersTest, OneThatFallsBehindTheRingIsToldHowMuchItMissed) {
  ASSERT_TRUE(ring->add_reader("slow", 0));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(append(large('x', 1000) + std::to_string(i)));
    ack_all();
  }
  const RingFile::Reading reading = read("slow");
  ASSERT_FALSE(reading.entries.empty());
  EXPECT_LT(reading.entries.size(), 300U) << "the ring has 256 KiB";
  EXPECT_EQ(reading.lost + reading.entries.size(), 1000U);
  EXPECT_EQ(reading.position, ring->newest());
  EXPECT_EQ(status("slow").lost, 0U) << "not before it has been told";
  ring->advance("slow", reading.position);
  EXPECT_EQ(status("slow").lost, reading.lost);
  EXPECT_EQ(status("slow").behind, 0U);
}

TEST_F(NamedReadersTest, EachHasItsRuleHowFarItMayFallBehind) {
  ASSERT_TRUE(ring->add_reader("page", 3));
  ASSERT_TRUE(ring->add_reader("fleet", 0));
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(append(std::to_string(i)));
  const RingFile::Reading reading = read("page");
  EXPECT_EQ(texts(reading), (Strings{"8", "9", "10"}));
  EXPECT_EQ(reading.lost, 7U);
  EXPECT_EQ(read("fleet").entries.size(), 10U);
}

TEST_F(NamedReadersTest, NoneHoldsUpTheQueue) {
  ASSERT_TRUE(ring->add_reader("dead", 0));
  ASSERT_TRUE(flush());
  for (int i = 0; i < 3000; ++i) {
    const auto stored = append(large('x', 700));
    ASSERT_TRUE(stored) << i << to_string(stored.error());
    ring->ack(*stored);
  }
  EXPECT_EQ(ring->status().refused, 0U);
  open();
  EXPECT_EQ(ring->readers().size(), 1U) << "its position moves on through the laps";
}

TEST_F(NamedReadersTest, AFullQueueStillTakesPositionsAlong) {
  ASSERT_TRUE(ring->add_reader("page", 0));
  while (append(large('x', 2000))) {
  }
  const Sequence read_to = read("page").position;
  ring->advance("page", read_to);
  ASSERT_TRUE(flush());
  for (int i = 0; i < 500; ++i) {
    ring->ack(ring->first()->sequence);
    ASSERT_TRUE(append(large('y', 2000)));
  }
  cut_and_open();
  EXPECT_GE(status("page").position, read_to);
}

TEST_F(NamedReadersTest, PositionsMoveWithTheRingToAFileOfAnotherSize) {
  ASSERT_TRUE(ring->add_reader("page", 0));
  for (const char* text : {"one", "two", "three", "four"}) ASSERT_TRUE(append(text));
  const RingFile::Reading reading = read("page", 0, 1);
  ring->advance("page", reading.position);
  ring->ack(ring->first()->sequence);
  ring->ack(ring->first()->sequence);
  ASSERT_TRUE(flush());
  options.bytes *= 2;
  open();
  ASSERT_TRUE(ring->recovery().resized);
  const RingFile::Reading rest = read("page");
  EXPECT_EQ(texts(rest), (Strings{"three", "four"}));
  EXPECT_EQ(rest.lost, 1U) << "two was done with and is not copied";
  ring->advance("page", rest.position);
  ASSERT_TRUE(append("five"));
  EXPECT_EQ(take("page"), Strings{"five"});
}

TEST_F(NamedReadersTest, AFailedWriteIsNoLoss) {
  ASSERT_TRUE(ring->add_reader("page", 0));
  ASSERT_TRUE(append("one"));
  disk.fault = [](test::MemDisk::Call call) -> std::optional<test::MemDisk::Fault> {
    if (call == test::MemDisk::Call::write) return test::MemDisk::Fault{};
    return std::nullopt;
  };
  EXPECT_FALSE(append("refused"));
  disk.fault = nullptr;
  ASSERT_TRUE(append("two"));
  const RingFile::Reading reading = read("page");
  EXPECT_EQ(texts(reading), (Strings{"one", "two"}));
  EXPECT_EQ(reading.lost, 0U);
}

TEST_F(NamedReadersTest, WhoHasNoNameSeesTheNewestAlsoAfterARestart) {
  for (std::size_t i = 1; i <= RingFile::kLatest + 20; ++i) {
    ASSERT_TRUE(append(std::to_string(i)));
  }
  ack_all();
  EXPECT_EQ(latest(0).entries.size(), RingFile::kLatest);
  EXPECT_EQ(texts(latest(ring->newest() - 2)), (Strings{"119", "120"}));
  open();
  const RingFile::Reading reading = latest(0);
  ASSERT_EQ(reading.entries.size(), RingFile::kLatest);
  EXPECT_EQ(to_string(reading.entries.back().second), "120");
  ASSERT_TRUE(append("121"));
  EXPECT_EQ(texts(latest(reading.position)), Strings{"121"});
  EXPECT_TRUE(latest(ring->newest() + 50).entries.empty()) << "a number from another life";
  EXPECT_EQ(latest(0, 1).entries.size(), 1U);
}

TEST_F(NamedReadersTest, DroppingTheRingAnswersWhoReads) {
  HeldWorker slow(scheduler);
  auto opened = RingFile::open(disk, scheduler, slow, random, options);
  ASSERT_TRUE(opened);
  Errc code{};
  (*opened)->read_latest(0, 1, [&](const Result<RingFile::Reading>& r) { code = r.error().code; });
  opened->reset();
  EXPECT_EQ(code, Errc::cancelled);
  slow.release_one();
  scheduler.run_posted();
}

TEST(NamedReaders, ReadBackTheSame) {
  const std::vector<NamedReader> readers{{"page", 5, 77, 100}, {"1234567890123456", 1, 2, 0}};
  const Bytes payload = encode_readers(readers);
  EXPECT_EQ(payload.size(), 2 * kReaderBytes);
  EXPECT_EQ(decode_readers(payload), readers);
  EXPECT_EQ(decode_readers({}), std::vector<NamedReader>{});
}

TEST(NamedReaders, AreRefusedWhenTheyCannotBeOurs) {
  const Bytes one = encode_readers({{"page", 5, 77, 100}});
  EXPECT_FALSE(decode_readers(ByteView(one).first(39)));
  Bytes five;
  for (int i = 0; i < 5; ++i) five.insert(five.end(), one.begin(), one.end());
  EXPECT_FALSE(decode_readers(five));
  for (const std::size_t at : {std::size_t{0}, std::size_t{37}}) {
    Bytes bad = one;
    bad[at] = std::byte{0xFF};
    EXPECT_FALSE(decode_readers(bad)) << at;
  }
}

}  // namespace
}  // namespace posthorn::queue
