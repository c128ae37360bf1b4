#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "driver.h"
#include "queue/batch.h"
#include "queue/recover.h"

namespace posthorn::powercut {
namespace {

using queue::Geometry;
using queue::Index;

/// A ring of 64 KiB in mid-life: laps behind it, entries pending and acknowledged, old and moved.
class Image : public testing::Test {
 protected:
  void SetUp() override {
    Driver driver(1, 512, ring_of(64 * 1024), {.every_boundary = false, .use_every = 0});
    driver.open();
    for (int i = 0; i < 400; ++i) {
      driver.append(static_cast<std::uint32_t>(8 + i * 71 % 700));
      if (i % 4 == 0) driver.append(40);
      driver.turn();
      while (driver.oracle().pending().size() > 24) {
        // One in nine stays long enough to be moved.
        auto at = driver.oracle().pending().begin();
        while (at->first % 9 == 0 && at->first + 100 > driver.oracle().pending().rbegin()->first)
          ++at;
        driver.ack(at->first);
      }
    }
    driver.stop();
    ASSERT_EQ(driver.wrong(), "");
    image = *driver.disk().content("ring");
    for (const auto& [sequence, sent] : driver.oracle().pending())
      payloads[sequence] = sent.payload();
  }

  /// What recovery makes of an image, without the ring on top: half a million times.
  queue::Recovered recover(MemDisk& disk) {
    file = std::move(*disk.open("ring"));
    queue::Reader reader(*file, 16 * 1024);
    const auto found = queue::decode_superblock(reader.view(0, queue::kSuperblockBytes));
    const auto last =
        queue::decode_superblock(reader.view(image.size() - 4096, queue::kSuperblockBytes));
    geometry = found ? *found : *last;
    return queue::recover(reader, geometry);
  }

  Bytes image;
  std::map<Sequence, Bytes> payloads;
  std::unique_ptr<queue::DiskFile> file;
  Geometry geometry;
};

/// Says what is wrong with what recovery found in an image that differs from the whole one in the
/// bits given; empty: nothing.
class Judge {
 public:
  Judge(const Index& whole, const Geometry& geometry, const std::map<Sequence, Bytes>& payloads)
      : geometry_(geometry), payloads_(payloads) {
    for (const Index::Slot* slot = whole.first(); slot; slot = whole.after(slot->sequence)) {
      slots_.push_back(*slot);
    }
  }

  std::string judge(queue::DiskFile& file, const queue::Recovered& found,
                    const std::vector<std::size_t>& bits) const {
    bool lost = false;
    for (const Index::Slot& slot : slots_) {
      const Index::Slot* now = found.index.find(slot.sequence);
      const bool hit = std::any_of(bits.begin(), bits.end(),
                                   [&](std::size_t bit) { return touches(slot, bit); });
      if (now == nullptr) {
        lost = true;
        if (!hit) return "lost " + std::to_string(slot.sequence) + ", which was not hit";
        continue;
      }
      if (!hit && now->place() == slot.place()) continue;  // the same bytes: the same payload
      const auto payload = queue::read_record(file, geometry_, *now);
      if (!payload) return "kept " + std::to_string(slot.sequence) + ", which cannot be read";
      if (*payload != payloads_.at(slot.sequence)) return "a wrong payload";
    }
    const queue::Recovery& report = found.report;
    if (lost && report.damaged + report.torn == 0) return "a loss was not reported";
    // An acknowledgement that was hit may bring its entries back, and says so.
    if (found.index.size() > slots_.size() && report.damaged + report.torn == 0) {
      return "entries came back without a report";
    }
    return {};
  }

 private:
  [[nodiscard]] bool touches(const Index::Slot& slot, std::size_t bit) const {
    const std::uint64_t start = geometry_.offset_of(slot.position) + slot.offset;
    return bit / 8 >= start && bit / 8 < start + queue::record_bytes(slot.length);
  }
  Geometry geometry_;
  const std::map<Sequence, Bytes>& payloads_;
  std::vector<Index::Slot> slots_;
};

TEST_F(Image, EveryFlippedBitCostsAtMostTheRecordItHits) {
  MemDisk disk;
  disk.put("ring", image);
  const queue::Recovered whole = recover(disk);
  ASSERT_EQ(whole.index.size(), payloads.size());
  const Judge judge(whole.index, geometry, payloads);
  Bytes& live = *disk.content("ring");
  std::uint64_t losses = 0;
  for (std::size_t bit = 0; bit < 8 * image.size(); ++bit) {
    live[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const queue::Recovered found = recover(disk);
    losses += found.index.size() < whole.index.size();
    ASSERT_EQ(judge.judge(*file, found, {bit}), "") << "bit " << bit;
    live[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  EXPECT_GT(losses, 10'000U);
  std::printf("bits: %zu, of them cost a record: %llu\n", 8 * image.size(),
              static_cast<unsigned long long>(losses));
}

TEST_F(Image, PatternsOfUpToEightBitsToo) {
  MemDisk disk;
  disk.put("ring", image);
  const queue::Recovered whole = recover(disk);
  const Judge judge(whole.index, geometry, payloads);
  Bytes& live = *disk.content("ring");
  std::mt19937_64 dice(5);
  const std::uint64_t first_live = geometry.offset_of(whole.log.synced_tail);
  for (int round = 0; round < 30'000; ++round) {
    std::vector<std::size_t> bits;
    // Half of them close together, as a failing cell does it, and half where the pending ones are.
    const std::size_t base =
        round % 2 == 0 ? dice() % image.size() : (first_live + dice() % 20'000) % image.size();
    for (std::uint64_t n = 1 + dice() % 8; n > 0; --n) {
      const std::size_t byte = round % 4 < 2 ? (base + dice() % 64) % image.size()
                                             : (base + dice() % 4096) % image.size();
      bits.push_back(8 * byte + dice() % 8);
    }
    for (const std::size_t bit : bits) live[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    if (queue::decode_superblock(ByteView(live).first(64)) ||
        queue::decode_superblock(ByteView(live).subspan(image.size() - 4096, 64))) {
      const queue::Recovered found = recover(disk);
      ASSERT_EQ(judge.judge(*file, found, bits), "") << "round " << round;
    }
    for (const std::size_t bit : bits) live[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
}

TEST_F(Image, TenThousandArbitraryFilesOpenOrAreSetAside) {
  std::mt19937_64 dice(9);
  std::set<Bytes> sent;
  for (const auto& [sequence, payload] : payloads) sent.insert(payload);
  std::uint64_t set_aside = 0;
  for (int round = 0; round < 10'000; ++round) {
    Bytes content = image;
    switch (round % 8) {
      case 0:  // noise of any length
        content.resize(dice() % (round % 16 == 0 ? 200'000 : 9000));
        for (std::byte& b : content) b = static_cast<std::byte>(dice());
        break;
      case 1:  // one value everywhere
        content.assign(dice() % 100'000, static_cast<std::byte>(round % 16 == 1 ? 0 : 0xff));
        break;
      case 2:  // cut short
        content.resize(dice() % content.size());
        break;
      case 3:  // a ring of noise
        for (std::size_t i = 4096; i < content.size() - 4096; ++i)
          content[i] = static_cast<std::byte>(dice());
        break;
      case 4:  // blocks in any order
        for (int n = 0; n < 40; ++n) {
          const std::size_t a = 8 + dice() % 112, b = 8 + dice() % 112;
          std::swap_ranges(content.begin() + static_cast<std::ptrdiff_t>(512 * a),
                           content.begin() + static_cast<std::ptrdiff_t>(512 * a + 512),
                           content.begin() + static_cast<std::ptrdiff_t>(512 * b));
        }
        break;
      case 5:  // blocks of zeros and ones
        for (int n = 0; n < 20; ++n) {
          const std::size_t at = 512 * (dice() % 128);
          std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at), 512,
                      static_cast<std::byte>(n % 2 == 0 ? 0 : 0xff));
        }
        break;
      case 6:  // shifted by some bytes
        content.insert(content.begin(), dice() % 600, std::byte{7});
        break;
      default:  // many bytes changed
        for (int n = 0; n < 2000; ++n)
          content[dice() % content.size()] = static_cast<std::byte>(dice());
        break;
    }
    MemDisk disk;
    disk.put("ring", content);
    test::FakeScheduler scheduler;
    test::InlineWorker worker(scheduler);
    test::SeededRandom random;
    RingFile::Options options = ring_of(64 * 1024);
    options.path = "ring";
    const auto start = std::chrono::steady_clock::now();
    auto ring = RingFile::open(disk, scheduler, worker, random, options);
    ASSERT_TRUE(ring) << round << " " << to_string(ring.error());
    ASSERT_LT(std::chrono::steady_clock::now() - start, seconds(5)) << round;
    if (!(*ring)->recovery().set_aside.empty()) {
      ++set_aside;
      ASSERT_EQ(*disk.content("ring.damaged"), content) << round;
    }
    ASSERT_TRUE((*ring)->for_each_pending([&](const Entry& entry, ByteView payload) {
      if (payload.size() < 8) return;
      const std::uint64_t id = queue::get_u64(payload);
      ASSERT_EQ(to_bytes(payload), (Sent{id, entry.length}.payload())) << round;
    }));
    Result<Sequence> answer = fail(Errc::timeout, "");
    (*ring)->append(Bytes(100), Wall{}, [&](Result<Sequence> r) { answer = std::move(r); });
    scheduler.run_posted();
    ASSERT_TRUE(answer) << round << " " << to_string(answer.error());
  }
  EXPECT_GT(set_aside, 3000U);
}

TEST(Sequences, GoOnPastTwoToTheThirtyTwo) {
  MemDisk disk;
  Bytes content(64 * 1024);
  const Geometry geometry{512, content.size(), 99, (1ULL << 32) - 5};
  queue::encode_superblock(geometry, std::span(content).first(64));
  queue::encode_superblock(geometry, std::span(content).subspan(content.size() - 4096, 64));
  disk.put("ring", content);
  test::FakeScheduler scheduler;
  test::InlineWorker worker(scheduler);
  test::SeededRandom random;
  RingFile::Options options = ring_of(64 * 1024);
  options.path = "ring";
  auto ring = RingFile::open(disk, scheduler, worker, random, options);
  ASSERT_TRUE(ring);
  Sequence last = 0;
  for (int i = 0; i < 40; ++i) {
    (*ring)->append(Bytes(500), Wall{}, [&](Result<Sequence> r) {
      ASSERT_TRUE(r);
      EXPECT_GT(*r, last);
      last = *r;
    });
    scheduler.run_posted();
    if (i % 10 == 9) {
      for (auto entry = (*ring)->first(); entry && entry->sequence + 3 < last;
           entry = (*ring)->first())
        (*ring)->ack(entry->sequence);
      ring->reset();
      scheduler.run_posted();
      ring = RingFile::open(disk, scheduler, worker, random, options);
      ASSERT_TRUE(ring);
      ASSERT_TRUE((*ring)->find(last));
    }
  }
  EXPECT_EQ(last, (1ULL << 32) - 5 + 39);
}

}  // namespace
}  // namespace posthorn::powercut
