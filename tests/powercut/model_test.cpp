#include <gtest/gtest.h>

#include "driver.h"

namespace posthorn::powercut {
namespace {

constexpr CutPlan kNoForks{.every_boundary = false, .use_every = 0};

TEST(Model, AMillionRandomOperationsWithCutsShowNoDifference) {
  std::uint64_t operations = 0, cuts = 0;
  for (std::uint64_t seed = 1; operations < 1'000'000; ++seed) {
    const bool large_blocks = seed % 4 == 0;
    RingFile::Options options = ring_of(large_blocks || seed % 2 == 0 ? 128 * 1024 : 64 * 1024);
    if (seed % 5 == 0) options.when_full = queue::WhenFull::drop_oldest;
    Driver driver(seed, large_blocks ? 4096 : 512, options, kNoForks);
    driver.open();
    for (int i = 0; i < 4000 && driver.wrong().empty(); ++i) {
      driver.step(seed % 3 == 0 ? 3000 : 300);
      const std::uint64_t dice = driver.chance()() % 400;
      if (dice == 0) {
        driver.cut();
        if (driver.chance()() % 8 == 0) driver.options().bytes ^= 192 * 1024;
        driver.open();
      } else if (dice == 1) {
        driver.fail_next(dice % 2 == 0 ? MemDisk::Call::write : MemDisk::Call::sync, 2);
      }
    }
    ASSERT_EQ(driver.wrong(), "");
    operations += driver.operations();
    cuts += driver.cuts();
  }
  std::printf("operations: %llu, cuts: %llu\n", static_cast<unsigned long long>(operations),
              static_cast<unsigned long long>(cuts));
}

TEST(Model, AThousandLapsWithCuts) {
  Driver driver(7, 512, ring_of(64 * 1024), kNoForks);
  driver.open();
  const std::uint64_t lap = 64 * 1024;
  std::uint64_t laps = 0;
  for (std::uint64_t written = 0; laps < 1000 && driver.wrong().empty();) {
    const std::uint64_t before = driver.disk().counters.bytes_written;
    for (int i = 0; i < 4; ++i) driver.append(3000);
    driver.turn();
    while (driver.oracle().pending().size() > 3) driver.ack_oldest();
    written += driver.disk().counters.bytes_written - before;
    laps = written / lap;
    if (driver.chance()() % 8 == 0) {
      driver.cut();
      driver.open();
    }
  }
  EXPECT_EQ(driver.wrong(), "");
  EXPECT_GT(driver.cuts(), 300U);
}

}  // namespace
}  // namespace posthorn::powercut
