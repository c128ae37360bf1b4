#include "throttle/properties/storm.h"

#include "posthorn/base/log.h"

namespace posthorn::throttle {
namespace {

using test::Storm;
using test::Weather;

/// Properties 1, 2, 3, 4, 5, 9 and 10 are checked at every hand-over of the same storms.
void expect_no_violation(Weather weather, std::uint64_t storms, std::uint64_t steps) {
  log::set_sink([](log::Level, std::string_view) {});
  std::uint64_t handed_over = 0;
  for (std::uint64_t i = 0; i < storms; ++i) {
    weather.seed = weather.seed * 31 + i;
    Storm storm(weather);
    storm.run(steps);
    storm.settle_accounts();
    for (const std::string& violation : storm.violations) ADD_FAILURE() << violation;
    handed_over += storm.handed_over;
    if (weather.restarts > 0) {
      EXPECT_GT(storm.restarts, 0U);
    }
    if (weather.signals > 0.0001) {
      EXPECT_GT(storm.level_changes, 0U);
    }
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(handed_over, storms * steps / 200)
      << "the storms must send something to prove anything";
  log::set_sink(nullptr);
}

TEST(Storm, HoldsInFairWeather) {
  expect_no_violation(
      {.signals = 0.0, .restarts = 0.0, .clocks = 0.01, .bad_outcomes = 0.02, .seed = 11}, 4,
      100'000);
}

TEST(Storm, HoldsWithPowerCutsAndWrongClocks) {
  expect_no_violation(
      {.signals = 0.0, .restarts = 0.002, .clocks = 0.02, .bad_outcomes = 0.1, .seed = 12}, 4,
      100'000);
}

TEST(Storm, HoldsWithRareSignals) {
  expect_no_violation(
      {.signals = 0.0005, .restarts = 0.0005, .clocks = 0.01, .bad_outcomes = 0.1, .seed = 13}, 4,
      100'000);
}

TEST(Storm, HoldsWithManySignals) {
  expect_no_violation(
      {.signals = 0.005, .restarts = 0.001, .clocks = 0.02, .bad_outcomes = 0.3, .seed = 14}, 4,
      100'000);
}

}  // namespace
}  // namespace posthorn::throttle
