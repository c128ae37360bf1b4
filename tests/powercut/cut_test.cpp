#include <gtest/gtest.h>

#include "driver.h"
#include "posthorn/base/log.h"

namespace posthorn::powercut {
namespace {

/// Cuts over all tests of this program, printed at the end.
std::uint64_t total_cuts = 0;

class Total final : public testing::Environment {
 public:
  void SetUp() override {
    log::set_sink([](log::Level, std::string_view) {});  // thousands of "set aside" are expected
  }
  void TearDown() override {
    std::printf("power cuts: %llu\n", static_cast<unsigned long long>(total_cuts));
  }
};
[[maybe_unused]] const testing::Environment* const kTotal =
    testing::AddGlobalTestEnvironment(new Total);

struct Shape {
  std::size_t alignment;
  std::uint64_t bytes;
};

class EveryBoundary : public testing::TestWithParam<Shape> {
 protected:
  RingFile::Options options() const {
    RingFile::Options o;
    o.bytes = GetParam().bytes;
    return o;
  }
  void finish(Driver& driver) {
    EXPECT_EQ(driver.wrong(), "");
    total_cuts += driver.cuts();
    RecordProperty("cuts", std::to_string(driver.cuts()));
  }
  static constexpr CutPlan kPlan{.exhaustive_up_to = 4, .random_subsets = 8};
};

TEST_P(EveryBoundary, CleanStart) {
  Driver driver(1, GetParam().alignment, options(), kPlan);
  driver.open();
  driver.stop();
  driver.open();
  finish(driver);
}

TEST_P(EveryBoundary, OneAtATime) {
  Driver driver(2, GetParam().alignment, options(), kPlan);
  driver.open();
  for (std::uint32_t i = 0; i < 40; ++i) {
    driver.append(i * 37 % 1500);
    driver.turn();
    if (i % 3 != 0) driver.ack_oldest();
    if (i % 7 == 0) driver.pass(seconds(3));
  }
  finish(driver);
}

TEST_P(EveryBoundary, Bursts) {
  Driver driver(3, GetParam().alignment, options(), kPlan);
  driver.open();
  for (std::uint32_t i = 0; i < 12; ++i) {
    for (std::uint32_t k = 0; k < i; ++k) driver.append(i * 53 % 700);
    driver.turn();
    for (std::uint32_t k = 0; k < i; k += 2) driver.ack_random();
  }
  finish(driver);
}

TEST_P(EveryBoundary, SeveralLaps) {
  CutPlan plan = kPlan;
  plan.random_subsets = 3;
  plan.exhaustive_up_to = 2;
  Driver driver(4, GetParam().alignment, options(), plan);
  driver.open();
  for (std::uint32_t i = 0; i < 150 && driver.wrong().empty(); ++i) {
    driver.append(200 + i * 97 % 1200);
    driver.turn();
    while (driver.oracle().pending().size() > 5) driver.ack_oldest();
  }
  finish(driver);
}

TEST_P(EveryBoundary, ANamedReaderBesideTheQueue) {
  CutPlan plan = kPlan;
  plan.random_subsets = 3;
  plan.exhaustive_up_to = 2;
  Driver driver(14, GetParam().alignment, options(), plan);
  driver.open();
  driver.add_reader();
  for (std::uint32_t i = 0; i < 150 && driver.wrong().empty(); ++i) {
    driver.append(200 + i * 97 % 1200);
    driver.turn();
    while (driver.oracle().pending().size() > 5) driver.ack_oldest();
    // Behind by more than a lap in between.
    if (i % 60 > 40) driver.read_on(3000);
    if (i % 17 == 0) driver.pass(seconds(3));
  }
  EXPECT_GT(driver.readings(), 30U);
  finish(driver);
}

TEST_P(EveryBoundary, FullWithAnOldEntry) {
  CutPlan plan = kPlan;
  plan.random_subsets = 2;
  plan.exhaustive_up_to = 2;
  Driver driver(5, GetParam().alignment, options(), plan);
  driver.open();
  driver.append(300);
  driver.turn();
  for (std::uint32_t i = 0; i < 90 && driver.wrong().empty(); ++i) {
    driver.append(300 + i * 31 % 600);
    driver.turn();
    // Everything but the first few goes; every now and then it runs full.
    while (driver.oracle().pending().size() > (i % 30 < 20 ? 4U : 60U)) {
      driver.ack(driver.oracle().pending().rbegin()->first);
    }
  }
  EXPECT_TRUE(driver.ring().find(1));
  finish(driver);
}

TEST_P(EveryBoundary, InboxThatDrops) {
  RingFile::Options o = options();
  o.when_full = queue::WhenFull::drop_oldest;
  CutPlan plan = kPlan;
  plan.random_subsets = 1;
  plan.exhaustive_up_to = 0;
  Driver driver(6, GetParam().alignment, o, plan);
  driver.open();
  for (std::uint32_t i = 0; i < 70 && driver.wrong().empty(); ++i) {
    driver.append(500 + i * 31 % 900);
    driver.turn();
  }
  EXPECT_GT(driver.ring().status().dropped, 10U);
  finish(driver);
}

TEST_P(EveryBoundary, ResizeUpAndDown) {
  Driver driver(7, GetParam().alignment, options(), kPlan);
  driver.open();
  for (const std::uint64_t bytes : {GetParam().bytes * 2, GetParam().bytes, GetParam().bytes * 3}) {
    for (std::uint32_t i = 0; i < 12; ++i) {
      driver.append(i * 91 % 1000);
      driver.turn();
      if (i % 3 == 0) driver.ack_oldest();
    }
    driver.stop();
    driver.options().bytes = bytes;
    driver.open();
    EXPECT_TRUE(driver.ring().recovery().resized);
  }
  finish(driver);
}

TEST_P(EveryBoundary, FailedWritesAndSyncs) {
  CutPlan plan = kPlan;
  plan.random_subsets = 3;
  plan.exhaustive_up_to = 3;
  Driver driver(8, GetParam().alignment, options(), plan);
  driver.open();
  for (std::uint32_t i = 0; i < 60 && driver.wrong().empty(); ++i) {
    if (i % 5 == 2)
      driver.fail_next(i % 2 == 0 ? MemDisk::Call::write : MemDisk::Call::sync, 1 + i % 3);
    driver.append(i * 131 % 1800);
    driver.append(i * 17 % 600);
    driver.turn();
    driver.ack_random();
    if (i % 9 == 0) driver.pass(seconds(3));
  }
  finish(driver);
}

TEST_P(EveryBoundary, RandomLife) {
  for (std::uint64_t seed = 100; seed < 106; ++seed) {
    CutPlan plan = kPlan;
    plan.random_subsets = 2;
    plan.exhaustive_up_to = 2;
    Driver driver(seed, GetParam().alignment, options(), plan);
    driver.open();
    for (int i = 0; i < 150 && driver.wrong().empty(); ++i) {
      driver.step(1000);
      if (i % 50 == 49) {
        driver.cut();
        driver.open();
      }
    }
    finish(driver);
  }
}

std::string shape_name(const testing::TestParamInfo<Shape>& shape) {
  return "Of" + std::to_string(shape.param.alignment);
}
INSTANTIATE_TEST_SUITE_P(Blocks, EveryBoundary,
                         testing::Values(Shape{512, 64 * 1024}, Shape{4096, 128 * 1024}),
                         shape_name);

}  // namespace
}  // namespace posthorn::powercut
