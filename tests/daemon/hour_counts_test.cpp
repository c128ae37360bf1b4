#include "daemon/hour_counts.h"

#include <gtest/gtest.h>

#include "support/fakes.h"

namespace posthorn::daemon {
namespace {

using api::MessageStatus;

struct Box {
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs{scheduler};
  Clock clock{scheduler, Wall::from_unix(1'790'000'000, true)};
  HourCounts counts{scheduler, blobs, clock};
};

int total(const json::Value& shown, const char* what) {
  int sum = 0;
  for (const json::Value& hour : shown["hours"]) sum += hour[what].asInt();
  return sum;
}

TEST(HourCounts, EachStatusStandsInItsHour) {
  Box box;
  box.counts.on_status(MessageStatus::sent);
  box.counts.on_status(MessageStatus::sent);
  box.counts.on_status(MessageStatus::delivered);
  box.counts.on_status(MessageStatus::read);
  box.counts.on_status(MessageStatus::no_account);
  box.scheduler.advance(hours(1));
  box.counts.on_status(MessageStatus::sent);
  const json::Value shown = box.counts.to_json();
  ASSERT_EQ(shown["hours"].size(), HourCounts::kHours);
  EXPECT_EQ(shown["hours"][22]["sent"].asInt(), 2);
  EXPECT_EQ(shown["hours"][22]["delivered"].asInt(), 1);
  EXPECT_EQ(shown["hours"][22]["failed"].asInt(), 1);
  EXPECT_EQ(shown["hours"][23]["sent"].asInt(), 1);
  EXPECT_EQ(shown["hours"][23]["from"].asInt64() % 3600, 0);
  EXPECT_LE(shown["hours"][23]["from"].asInt64(), shown["now"].asInt64());
}

TEST(HourCounts, AnHourThatIsADayOldIsGone) {
  Box box;
  box.counts.on_status(MessageStatus::sent);
  box.scheduler.advance(hours(23));
  EXPECT_EQ(total(box.counts.to_json(), "sent"), 1);
  box.scheduler.advance(hours(1));
  EXPECT_EQ(total(box.counts.to_json(), "sent"), 0);
  // Its place is the next one's.
  box.counts.on_status(MessageStatus::failed);
  EXPECT_EQ(total(box.counts.to_json(), "failed"), 1);
  EXPECT_EQ(total(box.counts.to_json(), "sent"), 0);
}

TEST(HourCounts, AreKeptEveryTenMinutesAndOnlyWhenThereIsNews) {
  Box box;
  box.counts.on_status(MessageStatus::sent);
  EXPECT_TRUE(box.blobs.values.empty());
  box.scheduler.advance(HourCounts::kSaveEvery);
  ASSERT_EQ(box.blobs.values.size(), 1U);
  HourCounts again(box.scheduler, box.blobs, box.clock);
  again.load();
  EXPECT_EQ(total(again.to_json(), "sent"), 1);
  box.blobs.values.clear();
  box.scheduler.advance(hours(2));
  box.counts.save();
  EXPECT_TRUE(box.blobs.values.empty());
}

TEST(HourCounts, WhatCannotBeReadIsBegunAnew) {
  Box box;
  for (const char* damage : {"", "{", "[]", R"({"hours":[{"from":-5,"sent":1}]})",
                             R"({"hours":[{"from":1790000000,"sent":-1,"failed":"x"},3,null]})"}) {
    box.blobs.values["hours/counts"] = to_bytes(damage);
    HourCounts counts(box.scheduler, box.blobs, box.clock);
    counts.load();
    EXPECT_EQ(total(counts.to_json(), "sent"), 0) << damage;
  }
}

}  // namespace
}  // namespace posthorn::daemon
