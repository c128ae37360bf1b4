#include <gtest/gtest.h>

#include "driver.h"

namespace posthorn::powercut {
namespace {

constexpr CutPlan kNoForks{.every_boundary = false, .use_every = 0};

/// Everything a ring does in its life, small. False: it did not open.
bool live(Driver& driver) {
  const std::uint64_t bytes = driver.options().bytes;
  if (!driver.open_in_spite_of_fault()) return false;
  driver.append(300);
  driver.turn();
  for (int i = 0; i < 90; ++i) {
    driver.append(static_cast<std::uint32_t>(400 + i * 13 % 500));
    driver.turn();
    while (driver.oracle().pending().size() > 8)
      driver.ack(driver.oracle().pending().rbegin()->first);
    if (i % 20 == 0) driver.pass(seconds(3));
  }
  driver.flush();
  driver.stop();
  driver.options().bytes = bytes + 16 * 1024;
  if (!driver.open_in_spite_of_fault()) return false;
  driver.append(100);
  driver.turn();
  driver.stop();
  if (Bytes* content = driver.disk().content("ring")) (*content)[30] ^= std::byte{1};
  return driver.open_in_spite_of_fault();
}

class Faults : public testing::TestWithParam<Errc> {};

TEST_P(Faults, AtAnyCallNeverConfirmWhatIsNotThereAndPass) {
  std::uint64_t met = 0;
  for (std::uint64_t call = 1;; ++call) {
    Driver driver(call, 512, ring_of(64 * 1024), kNoForks);
    // How much of a write arrived before it failed: nothing, a part, or all of it.
    driver.fail_call(call, {GetParam(), call % 3 == 0 ? 0 : call % 3 == 1 ? 1024 : 1U << 20});
    ASSERT_TRUE(live(driver)) << "call " << call << ": " << driver.wrong();
    if (!driver.fault_met()) break;
    ++met;
    const std::size_t before = driver.oracle().pending().size();
    driver.append(50);
    driver.turn();
    ASSERT_EQ(driver.oracle().pending().size(), before + 1) << "call " << call;
    ASSERT_FALSE(driver.ring().status().fault) << "call " << call;
    driver.cut();
    driver.open();
    ASSERT_EQ(driver.wrong(), "") << "call " << call;
  }
  EXPECT_GT(met, 250U);
}

TEST_P(Faults, ThatStayGiveClearErrorsAndAReadableState) {
  Driver driver(1, 512, ring_of(64 * 1024), kNoForks);
  driver.open();
  for (int i = 0; i < 10; ++i) driver.append(400);
  driver.turn();
  driver.fail_writes(GetParam());
  for (int i = 0; i < 20; ++i) {
    Result<Sequence> answer = 0;
    driver.ring().append(Bytes(400), Wall{}, [&](Result<Sequence> r) { answer = std::move(r); });
    driver.turn();
    ASSERT_FALSE(answer);
    ASSERT_EQ(answer.error().code, GetParam());
    driver.pass(seconds(1));
  }
  driver.ack_oldest();
  driver.pass(seconds(10));
  ASSERT_TRUE(driver.ring().status().fault);
  EXPECT_EQ(driver.ring().status().fault->code, GetParam());
  EXPECT_EQ(driver.ring().status().pending, 9U);
  Result<Bytes> payload = fail(Errc::timeout, "");
  driver.ring().peek(driver.ring().first()->sequence,
                     [&](Result<Bytes> r) { payload = std::move(r); });
  driver.turn();
  EXPECT_TRUE(payload);

  driver.fail_writes(std::nullopt);
  driver.append(400);
  driver.turn();
  EXPECT_FALSE(driver.ring().status().fault);
  EXPECT_EQ(driver.ring().status().pending, 10U);
  driver.cut();
  driver.open();
  EXPECT_EQ(driver.wrong(), "");
}

std::string error_name(const testing::TestParamInfo<Errc>& error) {
  return error.param == Errc::full ? "NoSpace" : "InputOutput";
}
INSTANTIATE_TEST_SUITE_P(Kinds, Faults, testing::Values(Errc::io, Errc::full), error_name);

}  // namespace
}  // namespace posthorn::powercut
