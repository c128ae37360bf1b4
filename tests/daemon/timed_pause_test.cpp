#include "daemon/timed_pause.h"

#include <gtest/gtest.h>

#include "support/fakes.h"

namespace posthorn::daemon {
namespace {

struct Held {
  test::FakeScheduler scheduler;
  Clock clock{scheduler, Wall::from_unix(1'790'000'000, true)};
  TimedPause pause{scheduler, clock};
  int ended = 0;
  void hold(int lasts) {
    pause.end_after(minutes(lasts), [this] { ++ended; });
  }
};

TEST(TimedPause, EndsByItselfOnce) {
  Held held;
  held.hold(60);
  ASSERT_TRUE(held.pause.until());
  EXPECT_EQ(held.pause.until()->unix_seconds(), held.clock.now().unix_seconds() + 3600);
  held.scheduler.advance(minutes(59));
  EXPECT_EQ(held.ended, 0);
  held.scheduler.advance(minutes(1));
  EXPECT_EQ(held.ended, 1);
  EXPECT_FALSE(held.pause.until());
  held.scheduler.advance(hours(5));
  EXPECT_EQ(held.ended, 1);
}

TEST(TimedPause, ItsEndIsToldByTheClockThatIsRightNow) {
  test::FakeScheduler scheduler;
  Clock clock(scheduler, Wall::from_unix(1'790'000'000, false));
  TimedPause pause(scheduler, clock);
  pause.end_after(minutes(60), [] {});
  clock.on_server_time(1'790'000'000 + 24 * 3600);  // the box woke in the past
  ASSERT_TRUE(pause.until());
  EXPECT_EQ(pause.until()->unix_seconds(), 1'790'000'000 + 25 * 3600);
}

TEST(TimedPause, TheLastWordCounts) {
  Held held;
  held.hold(10);
  held.hold(60);
  held.scheduler.advance(minutes(30));
  EXPECT_EQ(held.ended, 0);
  held.pause.forget();
  EXPECT_FALSE(held.pause.until());
  held.scheduler.advance(hours(5));
  EXPECT_EQ(held.ended, 0);
}

}  // namespace
}  // namespace posthorn::daemon
