#include <gtest/gtest.h>

#include <limits>

#include "posthorn/base/clock.h"
#include "support/fakes.h"

namespace posthorn {
namespace {

constexpr std::int64_t kBuilt = 1'780'000'000;
constexpr std::int64_t kTrue = 1'790'000'000;
constexpr std::int64_t kYear = 365 * 86'400;

/// A board whose own clock stands in 1970.
struct Board {
  explicit Board(Wall saved = {}) {
    scheduler.wall_at_start = Wall::from_unix(0, false);
    clock.emplace(scheduler, Wall::from_unix(kBuilt, false), saved);
  }
  [[nodiscard]] std::int64_t now() const { return clock->now().unix_seconds(); }

  test::FakeScheduler scheduler;
  std::optional<Clock> clock;
};

TEST(Clock, FromNineteenSeventyBelievesTheServerAndNeverGoesBack) {
  test::FakeScheduler scheduler;
  scheduler.wall_at_start = Wall::from_unix(0, false);
  Clock clock(scheduler, Wall::from_unix(1'780'000'000, false));
  EXPECT_FALSE(clock.now().trusted);
  EXPECT_GE(clock.now(), Wall::from_unix(1'780'000'000));
  clock.on_server_time(5);  // before the build: nonsense
  EXPECT_FALSE(clock.now().trusted);
  clock.on_server_time(1'790'000'000);
  EXPECT_TRUE(clock.now().trusted);
  scheduler.advance(hours(1));
  EXPECT_EQ(clock.now().unix_seconds(), 1'790'003'600);
  clock.on_server_time(1'790'000'000);
  EXPECT_EQ(clock.now().unix_seconds(), 1'790'003'600);
  scheduler.advance(hours(2));
  EXPECT_EQ(clock.now().unix_seconds(), 1'790'007'200);
}

TEST(Clock, AWrongWordIsNotBelievedAndATrueOneMendsIt) {
  Board board;
  board.clock->on_server_time(kTrue);
  board.clock->on_server_time(kTrue + 9 * kYear);
  EXPECT_EQ(board.now(), kTrue);
  board.scheduler.advance(minutes(1));
  board.clock->on_server_time(kTrue + 60);
  board.clock->on_server_time(kTrue + 9 * kYear);  // once more, but the true one stood between
  EXPECT_EQ(board.now(), kTrue + 60);
}

TEST(Clock, AWrongFirstWordIsMendedByTwoTrueOnes) {
  Board board(Wall::from_unix(kTrue, false));
  board.clock->on_server_time(kTrue + kYear / 2);
  EXPECT_EQ(board.now(), kTrue + kYear / 2);
  board.scheduler.advance(minutes(5));
  board.clock->on_server_time(kTrue + 300);
  board.scheduler.advance(seconds(20));
  board.clock->on_server_time(kTrue + 320);
  EXPECT_EQ(board.now(), kTrue + 320);
  EXPECT_TRUE(board.clock->now().trusted);
}

TEST(Clock, BehindTheSavedTimeIsBelievedAsSoonAsItIsSaidTwice) {
  Board board(Wall::from_unix(kTrue + 9 * kYear, false));
  EXPECT_EQ(board.now(), kTrue + 9 * kYear);
  board.clock->on_server_time(kTrue);
  EXPECT_FALSE(board.clock->now().trusted);
  board.scheduler.advance(seconds(20));
  board.clock->on_server_time(kTrue + 20);
  EXPECT_EQ(board.now(), kTrue + 20);
  EXPECT_TRUE(board.clock->now().trusted);
}

TEST(Clock, WhatTheBoardItselfSaysIsNoEvidence) {
  test::FakeScheduler scheduler;
  scheduler.wall_at_start = Wall::from_unix(kTrue + 9 * kYear, false);
  Clock clock(scheduler, Wall::from_unix(kBuilt, false));
  clock.on_server_time(kTrue);
  EXPECT_EQ(clock.now(), Wall::from_unix(kTrue));
  EXPECT_TRUE(clock.now().trusted);
}

TEST(Clock, AYearOnAShelfIsBelievedAtOnceAndTenNot) {
  Board one(Wall::from_unix(kBuilt, false));
  one.clock->on_server_time(kBuilt + kYear - 1);
  EXPECT_TRUE(one.clock->now().trusted);
  Board ten(Wall::from_unix(kBuilt, false));
  ten.clock->on_server_time(kBuilt + 10 * kYear);
  EXPECT_FALSE(ten.clock->now().trusted);
  ten.clock->on_server_time(kBuilt + 10 * kYear);
  EXPECT_TRUE(ten.clock->now().trusted);
}

TEST(Clock, OutsideOfTheProgramsLifeNobodyIsBelieved) {
  Board saved(Wall::from_unix(kBuilt + 20 * kYear, false));
  EXPECT_EQ(saved.now(), kBuilt);
  Board board;
  for (const std::int64_t word :
       {kBuilt + 20 * kYear, kBuilt - 1, std::int64_t{-5}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    board.clock->on_server_time(word);
    board.clock->on_server_time(word);
    EXPECT_FALSE(board.clock->now().trusted) << word;
    EXPECT_EQ(board.now(), kBuilt) << word;
  }
}

TEST(Wall, FromAnyNumberCanBeCountedWith) {
  const Wall last = Wall::from_unix(std::numeric_limits<std::int64_t>::max());
  const Wall first = Wall::from_unix(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(to_iso8601(last), "9999-12-31T23:59:59.000Z");
  EXPECT_EQ(to_iso8601(first), "0001-01-01T00:00:00.000Z");
  EXPECT_GT(last - first, milliseconds(0));
}

}  // namespace
}  // namespace posthorn
