#include <gtest/gtest.h>

#include "driver.h"

namespace posthorn::powercut {
namespace {

/// Blocks that were written since the last flush arrive in any combination.
void run_batches(Driver& driver, std::uint32_t most_messages, std::uint32_t length, int rounds) {
  driver.open();
  for (int round = 0; round < rounds && driver.wrong().empty(); ++round) {
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(round) % most_messages;
    for (std::uint32_t i = 0; i < count; ++i) driver.append(length);
    driver.turn();
    while (driver.oracle().pending().size() > 6) driver.ack_oldest();
  }
}

TEST(UnsyncedBlocks, EverySubsetOfUpToTen) {
  for (const std::size_t alignment : {std::size_t{512}, std::size_t{4096}}) {
    Driver driver(1, alignment, ring_of(256 * 1024),
                  {.every_boundary = false, .exhaustive_up_to = 10, .use_every = 64});
    run_batches(driver, 8, alignment == 512 ? 560 : 4300, 16);
    EXPECT_EQ(driver.wrong(), "");
    EXPECT_GT(driver.cuts(), alignment == 512 ? 4000U : 400U);
    std::printf("subsets of up to 10 blocks: %llu cuts\n",
                static_cast<unsigned long long>(driver.cuts()));
  }
}

TEST(UnsyncedBlocks, AHundredThousandRandomCombinationsOfMore) {
  Driver driver(2, 512, ring_of(64 * 1024),
                {.every_boundary = false, .random_subsets = 32, .use_every = 0});
  driver.open();
  // Bursts of 11 and more blocks, over several laps and with a few entries that stay.
  for (int round = 0; driver.cuts() < 100'000 && driver.wrong().empty(); ++round) {
    for (int i = 0; i < 12; ++i) driver.append(static_cast<std::uint32_t>(450 + i * 37 % 200));
    driver.turn();
    while (driver.oracle().pending().size() > 8) driver.ack_random();
  }
  EXPECT_EQ(driver.wrong(), "");
  EXPECT_GE(driver.cuts(), 100'000U);
}

TEST(NestedCuts, ThreeDeepDuringEveryKindOfRecovery) {
  for (const std::size_t alignment : {std::size_t{512}, std::size_t{4096}}) {
    const std::uint64_t bytes = alignment == 512 ? 64 * 1024 : 128 * 1024;
    Driver driver(3, alignment, ring_of(bytes),
                  {.every_boundary = true, .nested_depth = 3, .use_every = 64});
    driver.open();  // creating
    // 64 records of one large block, or as many as leave room for three small ones.
    for (int i = 0; i < (alignment == 512 ? 24 : 64); ++i) driver.append(8);
    driver.turn();
    driver.stop();
    driver.options().bytes = bytes + 4096;
    driver.open();  // migrating
    EXPECT_TRUE(driver.ring().recovery().resized);
    driver.append(8);
    driver.turn();
    driver.stop();
    (*driver.disk().content("ring"))[20] ^= std::byte{1};
    driver.open();  // repairing a superblock
    EXPECT_TRUE(driver.ring().recovery().superblock_repaired);
    EXPECT_EQ(driver.wrong(), "");
    std::printf("nested: %llu cuts\n", static_cast<unsigned long long>(driver.cuts()));
  }
}

}  // namespace
}  // namespace posthorn::powercut
