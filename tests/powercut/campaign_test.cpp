#include <gtest/gtest.h>

#include <cstdlib>

#include "driver.h"

namespace posthorn::powercut {
namespace {

/// Not part of the ordinary run: POSTHORN_POWERCUTS=1000000 says how many. tests/powercut/campaign
/// calls it.
TEST(Campaign, RandomLivesUnderAnyNumberOfCuts) {
  const char* wanted = std::getenv("POSTHORN_POWERCUTS");
  if (wanted == nullptr) GTEST_SKIP() << "set POSTHORN_POWERCUTS";
  const std::uint64_t goal = std::strtoull(wanted, nullptr, 10);
  const char* first = std::getenv("POSTHORN_SEED");
  std::uint64_t cuts = 0;
  std::uint64_t seed = first == nullptr ? 1'000'000 : std::strtoull(first, nullptr, 10);
  for (std::uint64_t shown = 0; cuts < goal; ++seed) {
    const bool large = seed % 3 == 0;
    RingFile::Options options = ring_of(large || seed % 5 == 0 ? 128 * 1024 : 64 * 1024);
    if (seed % 4 == 0) options.when_full = queue::WhenFull::drop_oldest;
    Driver driver(seed, large ? 4096 : 512, options,
                  {.exhaustive_up_to = seed % 7 == 0 ? 8U : 3U,
                   .random_subsets = 12,
                   .nested_depth = seed % 16 == 0 ? 2U : 1U});
    driver.open();
    for (int i = 0; i < 200 && driver.wrong().empty(); ++i) {
      driver.step(seed % 2 == 0 ? 3000 : 600);
      const std::uint64_t dice = driver.chance()() % 80;
      if (dice < 2) {
        driver.cut();
        if (dice == 1) driver.options().bytes ^= 192 * 1024;
        driver.open();
      } else if (dice == 2) {
        driver.fail_next(driver.chance()() % 2 == 0 ? MemDisk::Call::write : MemDisk::Call::sync,
                         2);
      }
    }
    ASSERT_EQ(driver.wrong(), "");
    cuts += driver.cuts();
    if (cuts - shown >= 100'000) {
      shown = cuts;
      std::printf("%llu cuts, seed %llu\n", static_cast<unsigned long long>(cuts),
                  static_cast<unsigned long long>(seed));
      std::fflush(stdout);
    }
  }
  std::printf("campaign: %llu cuts, nothing confirmed was lost\n",
              static_cast<unsigned long long>(cuts));
}

}  // namespace
}  // namespace posthorn::powercut
