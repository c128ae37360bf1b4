#include "api/connections.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace posthorn::api::test {
namespace {

using Id = Connections::Id;

constexpr const char* kScanner = "192.168.1.66";
constexpr const char* kTill = "192.168.1.20";

/// 160 in all, 112 for strangers, 48 for one of them, 96 for a till.
struct Lan {
  Connections connections{ConnectionLimits{}};
  Mono now{milliseconds(1000)};

  Connections::Admission open(const std::string& from) { return connections.open(from, now); }
  Id speak(const std::string& from) {
    const Id id = *open(from).id;
    connections.on_head(id, now);
    connections.on_trusted(id, now);
    connections.on_whole(id);
    connections.on_answered(id, now);
    return id;
  }
  unsigned open_many(const std::string& from, unsigned count) {
    unsigned taken = 0;
    for (unsigned i = 0; i < count; ++i) taken += open(from).id ? 1 : 0;
    return taken;
  }
  void pass(milliseconds time) { now = now + time; }
};

TEST(Connections, OneStrangerGetsAShareAndNoMore) {
  Lan lan;
  EXPECT_EQ(lan.open_many(kScanner, 260), 48U);
  EXPECT_EQ(lan.connections.size(), 48U);
  EXPECT_TRUE(lan.open(kTill).id.has_value());
}

TEST(Connections, ManyStrangersPushOutEachOtherAndNeverATill) {
  Lan lan;
  const Id till = lan.speak(kTill);
  for (int i = 0; i < 50; ++i) lan.open_many("192.168.1." + std::to_string(100 + i), 48);
  EXPECT_EQ(lan.connections.size(), 113U) << "112 strangers and the till";
  const auto evicted = lan.open("192.168.1.99");
  EXPECT_TRUE(evicted.id.has_value()) << "a newcomer is always let in";
  EXPECT_TRUE(evicted.evict.has_value());
  EXPECT_NE(*evicted.evict, till);
  for (int i = 0; i < 95; ++i) {
    EXPECT_TRUE(lan.open(kTill).id.has_value()) << "the till's share is its own " << i;
    if (lan.connections.size() == 160) break;
  }
}

TEST(Connections, ATillsPoolOfFortyOpensAtOnceBeforeItHasSpoken) {
  Lan lan;
  for (int i = 0; i < 40; ++i) {
    const auto one = lan.open(kTill);
    EXPECT_TRUE(one.id.has_value());
    EXPECT_FALSE(one.evict.has_value());
  }
}

TEST(Connections, ATillThatLeaksConnectionsLosesTheOldestIdleOne) {
  Lan lan;
  const Id first = lan.speak(kTill);
  lan.pass(seconds(1));
  for (int i = 0; i < 95; ++i) lan.speak(kTill);
  const auto next = lan.open(kTill);
  EXPECT_TRUE(next.id.has_value());
  EXPECT_EQ(next.evict, first);
}

TEST(Connections, WhatIsBeingAnsweredIsNeverCut) {
  Lan lan;
  for (int i = 0; i < 96; ++i) {
    const Id id = lan.speak(kTill);
    lan.connections.on_head(id, lan.now);
    lan.connections.on_whole(id);  // a long poll
  }
  const auto one_more = lan.open(kTill);
  EXPECT_FALSE(one_more.id.has_value());
  EXPECT_FALSE(one_more.evict.has_value());
  lan.pass(minutes(5));
  EXPECT_TRUE(lan.connections.overdue(lan.now).empty());
}

TEST(Connections, UnfinishedRequestsAndHandshakesHaveTenSeconds) {
  Lan lan;
  const Id silent = *lan.open(kScanner).id;
  const Id half = *lan.open(kScanner).id;
  const Id till = lan.speak(kTill);
  lan.pass(seconds(9));
  lan.connections.on_head(half, lan.now);
  EXPECT_TRUE(lan.connections.overdue(lan.now).empty());
  lan.pass(seconds(1));
  EXPECT_EQ(lan.connections.overdue(lan.now), std::vector<Id>{silent});
  lan.connections.on_closed(silent);
  lan.pass(seconds(9));
  EXPECT_EQ(lan.connections.overdue(lan.now), std::vector<Id>{half})
      << "a body that does not come; a till's pause between two requests is not meant";
  (void)till;
}

TEST(Connections, AStrangerThatIsAnsweredKeepsItsConnectionTenSeconds) {
  Lan lan;
  const Id id = *lan.open(kScanner).id;
  lan.connections.on_head(id, lan.now);
  lan.connections.on_whole(id);
  lan.pass(minutes(1));
  EXPECT_TRUE(lan.connections.overdue(lan.now).empty()) << "it waits for us";
  lan.connections.on_answered(id, lan.now);
  lan.pass(seconds(10));
  EXPECT_EQ(lan.connections.overdue(lan.now), std::vector<Id>{id});
}

TEST(Connections, AnAddressThatShowedARightCountsAsATillsForAnHour) {
  Lan lan;
  lan.connections.on_closed(lan.speak(kTill));
  EXPECT_TRUE(lan.connections.empty());
  lan.open_many(kScanner, 48);
  EXPECT_EQ(lan.open_many(kTill, 96), 96U);
  for (Id id = 50; id < 146; ++id) lan.connections.on_closed(id);
  lan.pass(hours(2));
  EXPECT_EQ(lan.open_many(kTill, 96), 48U);
}

}  // namespace
}  // namespace posthorn::api::test
