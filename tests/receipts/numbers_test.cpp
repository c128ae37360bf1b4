#include "receipts/numbers.h"

#include <gtest/gtest.h>

#include "receipts/intake.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::receipts;

namespace {

/// A BlobStore that loses power: what was saved after the last durable() is gone then.
struct Blobs final : BlobStore {
  Result<std::optional<Bytes>> load(std::string_view name) override {
    const auto found = now.find(name);
    return found == now.end() ? std::optional<Bytes>() : found->second;
  }
  Result<void> save(std::string_view name, ByteView value) override {
    now[std::string(name)] = to_bytes(value);
    return {};
  }
  void durable(Once<void(Result<void>)> done) override {
    if (syncs) on_disk = now;
    done({});
  }
  void cut() { now = on_disk; }

  using Values = std::map<std::string, Bytes, std::less<>>;
  Values now, on_disk;
  bool syncs = true;
};

}  // namespace

/// A tablet keeps in mind which numbers it has asked for, and lists are sorted by them.
TEST(Numbers, NoneIsGivenTwiceThoughThePowerGoesAfterAnyOfThem) {
  for (std::uint64_t count = 1; count < 3 * Numbers::kStep; ++count) {
    Blobs blobs;
    std::uint64_t last = 0;
    {
      Numbers numbers(blobs);
      numbers.start();
      for (std::uint64_t i = 0; i < count; ++i) last = numbers.next();
      EXPECT_EQ(last, count);
    }
    blobs.cut();
    Numbers numbers(blobs);
    numbers.start();
    const std::uint64_t next = numbers.next();
    EXPECT_GT(next, last);
    EXPECT_LE(next, last + Numbers::kStep + 1);
  }
}

TEST(Numbers, AnOrderlyEndLeavesNoGap) {
  Blobs blobs;
  for (std::uint64_t number = 1; number < 100; number += 3) {
    Numbers numbers(blobs);
    numbers.start();
    EXPECT_EQ(numbers.next(), number);
    EXPECT_EQ(numbers.next(), number + 1);
    EXPECT_EQ(numbers.next(), number + 2);
    numbers.stop();
  }
  // And when that end was not on the disk: as after a cut.
  blobs.cut();
  Numbers numbers(blobs);
  numbers.start();
  EXPECT_GT(numbers.next(), 99U);
}

TEST(Numbers, AreAboveWhatIsOnTheShelf) {
  Blobs blobs;
  Numbers numbers(blobs);
  numbers.found(7);
  numbers.found(3);
  numbers.start();
  EXPECT_EQ(numbers.next(), 8U);
  EXPECT_EQ(numbers.last(), 8U);
}

/// The release before told them and kept no numbers.
TEST(Numbers, WhatWasThereBeforeTheyWereCountedWasTold) {
  Blobs blobs;
  {
    Numbers numbers(blobs);
    numbers.found(7);
    EXPECT_TRUE(numbers.was_told(7));
    numbers.start();
    EXPECT_EQ(numbers.next(), 8U);
  }
  {
    Numbers numbers(blobs);
    numbers.found(8);
    EXPECT_TRUE(numbers.was_told(7));
    EXPECT_FALSE(numbers.was_told(8));
    numbers.note_told(8);
    numbers.note_told(6);
    EXPECT_TRUE(numbers.was_told(8));
  }
  EXPECT_EQ(Numbers(blobs).told(), 8U);
}

TEST(Intake, CountsBytesToo) {
  Intake intake;
  const Mono start{seconds(100)};
  for (std::uint64_t i = 0; i < Intake::kBytes / (4U << 20); ++i) {
    EXPECT_TRUE(intake.take(4U << 20, start));
  }
  EXPECT_FALSE(intake.take(1, start));
  EXPECT_FALSE(intake.open(start));
  EXPECT_TRUE(intake.take(Intake::kBytesPerSecond, start + seconds(1)));
  EXPECT_FALSE(intake.take(Intake::kBytesPerSecond, start + seconds(1)));
}
