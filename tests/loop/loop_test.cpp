#include "posthorn/loop/loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>

namespace posthorn::loop {
namespace {

TEST(Loop, RunsTimersInOrderAndPostedTasksBefore) {
  Loop loop;
  std::string ran;
  loop.call_at(loop.now() + milliseconds(4), [&ran] { ran += "c"; });
  loop.call_at(loop.now() + milliseconds(2), [&ran] { ran += "b"; });
  loop.post([&ran] { ran += "a"; });
  loop.run();
  EXPECT_EQ(ran, "abc");
}

TEST(Loop, ACancelledTimerDoesNotRun) {
  Loop loop;
  bool ran = false;
  const auto id = loop.call_at(loop.now() + milliseconds(1), [&ran] { ran = true; });
  loop.cancel(id);
  loop.cancel(id);
  loop.run();
  EXPECT_FALSE(ran);
}

TEST(Loop, ATimerMayRestartItselfInItsOwnCall) {
  Loop loop;
  Timer timer(loop);
  int runs = 0;
  Function<void()> again;
  std::function<void()> tick = [&] {
    if (++runs < 3) timer.start(milliseconds(0), [&tick] { tick(); });
  };
  timer.start(milliseconds(0), [&tick] { tick(); });
  loop.run();
  EXPECT_EQ(runs, 3);
}

TEST(Loop, AWorkerThatGoesAnswersFirstAndTakesWhatAnswersGiveToIt) {
  Loop loop;
  std::string steps;
  {
    PoolWorker worker(loop);
    worker.run([&steps] { steps += "a"; },
               [&] {
                 steps += "b";
                 worker.run([&steps] { steps += "c"; }, [&steps] { steps += "d"; });
               });
  }
  EXPECT_EQ(steps, "abcd");
}

TEST(Loop, AWorkersDoneRunsOnTheLoopAfterItsWork) {
  Loop loop;
  PoolWorker worker(loop);
  int got = 0;
  run_on<int>(
      worker, [] { return 42; }, [&got](int value) { got = value; });
  EXPECT_EQ(got, 0);
  loop.run();
  EXPECT_EQ(got, 42);
}

TEST(Loop, PollReportsAReadablePipe) {
  Loop loop;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  char seen = 0;
  std::unique_ptr<Poll> poll;
  poll = std::make_unique<Poll>(loop, ends[0], Poll::readable, [&](int events) {
    EXPECT_EQ(events & Poll::readable, Poll::readable);
    EXPECT_EQ(read(ends[0], &seen, 1), 1);
    loop.post([&poll] { poll.reset(); });
  });
  loop.post([&ends] { EXPECT_EQ(write(ends[1], "x", 1), 1); });
  loop.run();
  EXPECT_EQ(seen, 'x');
  close(ends[0]);
  close(ends[1]);
}

TEST(Loop, ASignalIsAnOrdinaryCallback) {
  Loop loop;
  bool seen = false;
  SignalWatch watch(loop, SIGUSR1, [&] { seen = true; });
  loop.post([] { raise(SIGUSR1); });
  for (int i = 0; i < 50 && !seen; ++i) loop.run_once(milliseconds(20));
  EXPECT_TRUE(seen);
}

TEST(SystemRandom, FillsLargeSpansWithDifferentBytes) {
  SystemRandom random;
  const Bytes a = random.bytes(5000);
  const Bytes b = random.bytes(5000);
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace posthorn::loop
