#include "throttle/properties/storm.h"

#include <cstdio>

#include "posthorn/base/log.h"

namespace posthorn::throttle {
namespace {

using test::Storm;
using test::Weather;

constexpr std::uint64_t kStorms = 10;
constexpr std::uint64_t kSteps = 100'000;

/// A million steps. `properties` of policy section 14 are checked at every hand-over, and when a
/// storm is over; numbers 3, 4 and 10 need signals to say something.
void expect_no_violation(const char* properties, Weather weather) {
  log::set_sink([](log::Level, std::string_view) {});
  std::uint64_t handed_over = 0, level_changes = 0, restarts = 0, finished = 0;
  for (std::uint64_t i = 0; i < kStorms; ++i) {
    weather.seed = weather.seed * 31 + i;
    Storm storm(weather);
    storm.run(kSteps);
    storm.settle_accounts();
    for (const std::string& violation : storm.violations) ADD_FAILURE() << violation;
    handed_over += storm.handed_over;
    level_changes += storm.level_changes;
    restarts += storm.restarts;
    finished += storm.finished;
    if (weather.restarts > 0) {
      EXPECT_GT(storm.restarts, 0U);
    }
    if (weather.signals > 0.0001) {
      EXPECT_GT(storm.level_changes, 0U);
    }
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(handed_over, kStorms * kSteps / 200)
      << "the storms must send something to prove anything";
  log::set_sink(nullptr);
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "[property %s] %llu steps: %llu hand-overs, %llu jobs ended, %llu level changes, %llu power "
      "cuts\n",
      properties, n(kStorms * kSteps), n(handed_over), n(finished), n(level_changes), n(restarts));
}

TEST(Storm, HoldsInFairWeather) {
  expect_no_violation(
      "1 2 5 9",
      {.signals = 0.0, .restarts = 0.0, .clocks = 0.01, .bad_outcomes = 0.02, .seed = 11});
}

TEST(Storm, HoldsWithPowerCutsAndWrongClocks) {
  expect_no_violation(
      "1 2 5 9",
      {.signals = 0.0, .restarts = 0.002, .clocks = 0.02, .bad_outcomes = 0.1, .seed = 12});
}

TEST(Storm, HoldsWithRareSignals) {
  expect_no_violation(
      "1 2 3 4 5 9 10",
      {.signals = 0.0005, .restarts = 0.0005, .clocks = 0.01, .bad_outcomes = 0.1, .seed = 13});
}

TEST(Storm, HoldsWithManySignals) {
  expect_no_violation(
      "1 2 3 4 5 9 10",
      {.signals = 0.005, .restarts = 0.001, .clocks = 0.02, .bad_outcomes = 0.3, .seed = 14});
}

}  // namespace
}  // namespace posthorn::throttle
