#include <gtest/gtest.h>

#include <cstdlib>
#include <tuple>

#include "driver.h"

namespace posthorn::powercut {
namespace {

/// A box that is switched off again and again, often before it has written a single whole batch:
/// each life begins with what the one before left torn, also within its start.
struct Habit {
  std::size_t alignment;
  std::uint32_t largest;       ///< payload
  std::uint64_t longest_life;  ///< in boundaries: writes of a block, syncs
};

void PrintTo(const Habit& habit, std::ostream* out) {
  *out << habit.alignment << " bytes, payloads to " << habit.largest << ", lives to "
       << habit.longest_life;
}

std::uint64_t lives_wanted() {
  const char* wanted = std::getenv("POSTHORN_LIVES");
  return wanted == nullptr ? 4'000 : std::strtoull(wanted, nullptr, 10);
}

std::uint64_t first_seed() {
  const char* seed = std::getenv("POSTHORN_SEED");
  return seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10);
}

class Lives : public testing::TestWithParam<std::tuple<Habit, queue::WhenFull>> {};

TEST_P(Lives, NothingConfirmedIsLostHoweverOftenThePowerGoes) {
  const auto [habit, when_full] = GetParam();
  const std::uint64_t goal = lives_wanted();
  std::uint64_t lives = 0;
  for (std::uint64_t seed = first_seed(); lives < goal; ++seed) {
    RingFile::Options options = ring_of(habit.alignment == 512 ? 64 * 1024 : 128 * 1024);
    options.when_full = when_full;
    Driver driver(seed, habit.alignment, options, {.every_boundary = false, .use_every = 0});
    driver.open();
    if (seed % 2 == 0) driver.add_reader();
    // A quiet stretch first, so that laps lie behind it and old entries are about.
    for (int i = 0; i < 300 && driver.wrong().empty(); ++i) driver.step(habit.largest);
    int room_tried = 0;
    for (int life = 0; life < 100 && driver.wrong().empty(); ++life, ++lives) {
      const auto span = [&] { return 1 + driver.chance()() % habit.longest_life; };
      driver.cut_within(span());
      for (int i = 0; i < 60 && !driver.died(); ++i) driver.step(habit.largest);
      while (driver.died() && driver.wrong().empty()) {
        const bool at_once = driver.chance()() % 4 == 0;
        // Now and then the configured size is another one, so migrations are cut as well.
        if (driver.chance()() % 24 == 0) driver.options().bytes ^= 192 * 1024;
        driver.resume(at_once ? span() : 0);
      }
      // What the torn writes took up must not be gone for good.
      const queue::RingStatus status = driver.ring().status();
      if (status.used_bytes + 1000 > status.capacity_bytes) continue;
      ++room_tried;
      driver.cut_within(0);
      driver.append(900);
      driver.turn();
      ASSERT_EQ(driver.ring().status().refused, status.refused) << "seed " << seed;
    }
    ASSERT_EQ(driver.wrong(), "");
    EXPECT_GT(room_tried, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Habits, Lives,
    testing::Combine(testing::Values(Habit{512, 600, 4}, Habit{512, 3000, 12}, Habit{512, 3000, 60},
                                     Habit{4096, 3000, 8}),
                     testing::Values(queue::WhenFull::refuse, queue::WhenFull::drop_oldest)));

}  // namespace
}  // namespace posthorn::powercut
