#include <gtest/gtest.h>

#include <set>

#include "fleet/fakes.h"

namespace posthorn::test {
namespace {

/// Every number of the ring that the broker has, as an event or in a gap.
std::set<std::uint64_t> numbers(const FleetRig& rig) {
  std::set<std::uint64_t> out;
  for (const auto& one : rig.broker.taken) {
    if (!one.sequence) continue;
    out.insert(*one.sequence);
    if (!one.topic.ends_with("event/gap")) continue;
    const auto gap = json::at(*json::parse(one.payload), "gap");
    for (auto n = *json::int_at(gap, "from"); n <= *json::int_at(gap, "to"); ++n) {
      out.insert(static_cast<std::uint64_t>(n));
    }
  }
  return out;
}

std::set<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
  std::set<std::uint64_t> out;
  for (auto n = first; n <= last; ++n) out.insert(n);
  return out;
}

TEST(FleetAgent, TellsBirthAndStateAndLeavesAWill) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  const auto online = rig.broker.payloads(rig.topic("online"));
  ASSERT_EQ(online.size(), 1U);
  EXPECT_EQ(json::bool_at(online[0], "online"), true);
  EXPECT_EQ(json::int_at(online[0], "bdSeq"), 1);
  EXPECT_EQ(rig.broker.last_will.topic, rig.topic("online"));
  EXPECT_EQ(json::bool_at(*json::parse(rig.broker.last_will.payload), "online"), false);
  EXPECT_TRUE(rig.broker.last_will.retain);
  ASSERT_FALSE(rig.broker.payloads(rig.topic("state")).empty());
  EXPECT_EQ(json::string_at(rig.broker.payloads(rig.topic("state")).back(), "link"), "online");
  ASSERT_FALSE(rig.broker.subscribed.empty());
  EXPECT_FALSE(rig.broker.subscribed[0].retained) << "kept commands would run again";
}

TEST(FleetAgent, OnlyBirthsAreCounted) {
  FleetRig rig;
  rig.broker.there = false;
  rig.start();
  rig.run(hours(1));
  EXPECT_GT(rig.broker.tries, 5U);
  rig.broker.there = true;
  rig.run(minutes(10));
  rig.broker.lose(fleet::Loss::broken);
  rig.run(minutes(10));
  const auto online = rig.broker.payloads(rig.topic("online"));
  ASSERT_EQ(online.size(), 2U);
  EXPECT_EQ(json::int_at(online[0], "bdSeq"), 1);
  EXPECT_EQ(json::int_at(online[1], "bdSeq"), 2);
  EXPECT_EQ(json::int_at(*json::parse(rig.broker.last_will.payload), "bdSeq"), 2);
}

TEST(FleetAgent, AStateThatDoesNotChangeIsToldFourTimesAnHour) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(5));
  const auto before = rig.broker.payloads(rig.topic("state")).size();
  rig.run(hours(1));
  const auto told = rig.broker.payloads(rig.topic("state")).size() - before;
  EXPECT_GE(told, 3U);
  EXPECT_LE(told, 5U);
}

TEST(FleetAgent, EventsAreGaplessThroughKillsAndLostAcknowledgements) {
  FleetRig rig;
  rig.settings.spread = seconds(2);
  rig.start();
  rig.run(minutes(2));
  SeededRandom chance(3);
  for (int cut = 0; cut < 100; ++cut) {
    for (int i = 0; i < 3; ++i) rig.box.add_event("text");
    rig.broker.lose_acks = cut % 5 == 0;
    rig.broker.swallow = cut % 7 == 0 ? 2 : 0;
    rig.run(milliseconds(static_cast<std::int64_t>(chance.between(0, 3000))));
    switch (cut % 3) {
      case 0:
        rig.kill();
        rig.start();
        break;
      case 1:
        rig.broker.lose(fleet::Loss::broken);
        break;
      case 2:
        rig.box.up = false;
        rig.run(seconds(5));
        rig.box.up = true;
        break;
    }
    rig.broker.lose_acks = false;
    // A line that does not acknowledge looks alive: here it breaks, so that what it kept is told
    // again.
    if (cut % 5 == 0 || cut % 7 == 0) rig.broker.lose(fleet::Loss::broken);
    rig.run(seconds(40));
    ASSERT_EQ(numbers(rig), from_to(1, rig.box.newest)) << "after cut " << cut;
    ASSERT_EQ(rig.box.position, rig.box.newest) << "after cut " << cut;
  }
  rig.run(minutes(20));
  EXPECT_EQ(numbers(rig), from_to(1, 300));
  EXPECT_EQ(rig.box.position, 300U);
}

TEST(FleetAgent, ADayOfflineIsToldFromTheRingAndWhatItLostIsNamed) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  rig.box.add_event("first");
  rig.run(minutes(1));
  rig.broker.there = false;
  rig.broker.lose(fleet::Loss::broken);
  for (int i = 0; i < 5000; ++i) rig.box.add_event("while away");
  rig.box.ring.erase(rig.box.ring.find(2), rig.box.ring.find(1000));  // the ring went round
  rig.run(hours(24));
  EXPECT_LT(rig.broker.tries, 500U);
  rig.broker.there = true;
  rig.run(minutes(30));
  EXPECT_EQ(numbers(rig), from_to(1, 5001));
  ASSERT_FALSE(rig.broker.payloads(rig.topic("event/gap")).empty());
  EXPECT_FALSE(rig.broker.retained[rig.topic("alert/gap")].empty());
  rig.run(hours(25));
  EXPECT_TRUE(rig.broker.retained[rig.topic("alert/gap")].empty()) << "it stays for a day";
}

TEST(FleetAgent, NothingPrivateIsOnTheWireByDefault) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  rig.box.add_event("a secret text");
  rig.run(minutes(2));
  std::string wire;
  for (const auto& one : rig.broker.taken) wire += one.topic + one.payload;
  EXPECT_NE(wire.find("textMessage"), std::string::npos);
  for (const char* word : {"secret", "49155", "Anna"}) {
    EXPECT_EQ(wire.find(word), std::string::npos) << word;
  }
}

TEST(FleetAgent, ARepeatedCommandHasOneEffectAndTheFirstAnswer) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  const std::string send = R"({"do":"send","key":"k1","args":{"chatId":"1@c.us","message":"x"}})";
  for (int i = 0; i < 10; ++i) {
    rig.command(send);
    rig.run(seconds(1));
    if (i % 3 == 1) {
      rig.kill();
      rig.start();
      rig.run(minutes(2));
    }
  }
  EXPECT_EQ(rig.box.sends["fleet-k1"], 1U);
  const auto replies = rig.replies();
  ASSERT_GE(replies.size(), 10U);
  EXPECT_EQ(json::string_at(replies.front(), "status"), "done");
  EXPECT_EQ(json::string_at(replies.back(), "status"), "repeated");
  EXPECT_EQ(json::at(replies.back(), "body"), json::at(replies.front(), "body"));
}

TEST(FleetAgent, ACommandThatAPowerCutInterruptedGoesOn) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  rig.box.up = false;
  rig.command(R"({"do":"send","key":"k2","args":{"chatId":"1@c.us","message":"x"}})");
  rig.run(seconds(3));
  rig.kill();
  rig.box.up = true;
  rig.start();
  rig.run(minutes(2));
  EXPECT_EQ(rig.box.sends["fleet-k2"], 1U);
  ASSERT_EQ(rig.replies().size(), 1U);
  EXPECT_EQ(json::string_at(rig.replies()[0], "status"), "done");
}

TEST(FleetAgent, AReplyThatNobodyGotIsToldAgain) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  rig.broker.swallow = 1000;
  rig.command(R"({"do":"send","key":"k3","args":{"chatId":"1@c.us","message":"x"}})");
  rig.run(seconds(5));
  rig.kill();
  rig.broker.swallow = 0;
  rig.start();
  rig.run(minutes(2));
  ASSERT_EQ(rig.replies().size(), 1U);
  EXPECT_EQ(rig.box.sends["fleet-k3"], 1U);
}

TEST(FleetAgent, AnExpiryNeedsAClock) {
  FleetRig rig;
  rig.box.clock_trusted = false;
  rig.start();
  rig.run(minutes(2));
  rig.command(R"({"do":"send","key":"k4","exp":1790000600,"args":{}})");
  rig.run(seconds(5));
  ASSERT_EQ(rig.replies().size(), 1U);
  EXPECT_EQ(json::int_at(rig.replies()[0], "code"), 409);
  rig.box.clock_trusted = true;
  rig.run(minutes(20));
  rig.command(R"({"do":"send","key":"k5","exp":1790000600,"args":{}})");
  rig.run(seconds(5));
  EXPECT_EQ(json::string_at(rig.replies().back(), "status"), "expired");
  EXPECT_TRUE(rig.box.sends.empty());
}

TEST(FleetAgent, RetainedAndUnreadableCommandsDoNothing) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  rig.broker.say(rig.topic("cmd/x"), R"({"do":"send","key":"k6","args":{}})", true);
  rig.command("\xff garbage");
  rig.command("[]");
  rig.command(R"({"do":"send"})");
  rig.command(std::string(100'000, 'x'));
  rig.run(seconds(5));
  EXPECT_EQ(rig.replies().size(), 5U);
  EXPECT_TRUE(rig.box.sends.empty());
  EXPECT_EQ(rig.agent->counters().ignored, 5U);
}

TEST(FleetAgent, TheFleetsPauseOutlivesTheDaemonAndEndsOnAWord) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  rig.broker.say("posthorn/v1/bakery/all/pause", R"({"pause":true,"by":"Ms Baker"})", true);
  rig.run(seconds(1));
  EXPECT_TRUE(rig.box.paused);
  rig.box.paused = false;  // a restart of the daemon
  rig.kill();              // and of the agent
  rig.start();
  rig.run(seconds(30));
  EXPECT_TRUE(rig.box.paused);
  rig.broker.say("posthorn/v1/bakery/all/pause", "no JSON", true);
  rig.run(seconds(30));
  EXPECT_TRUE(rig.box.paused);
  rig.broker.say("posthorn/v1/bakery/all/pause", R"({"pause":false})", true);
  rig.run(seconds(1));
  EXPECT_FALSE(rig.box.paused);
}

TEST(FleetAgent, AnOlderWordToAllThatComesLateIsNone) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  const auto say = [&](const char* word) {
    rig.broker.say("posthorn/v1/bakery/all/pause", word, true);
    rig.run(seconds(1));
  };
  say(R"({"pause":true,"at":10})");
  EXPECT_TRUE(rig.box.paused);
  say(R"({"pause":false,"at":11})");
  say(R"({"pause":true,"at":10})");
  EXPECT_FALSE(rig.box.paused);
}

std::vector<json::Value> reports(const FleetRig& rig) {
  std::vector<json::Value> out;
  for (const auto& request : rig.box.requests) {
    if (request.name == "reportFleet") out.push_back(*json::parse(request.body));
  }
  return out;
}

TEST(FleetAgent, TellsTheBoxsPageHowItIs) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(3));
  rig.command(R"({"do":"send","key":"k1","args":{"chatId":"4915550001234@c.us","message":"x"}})");
  rig.run(seconds(30));
  json::Value last = reports(rig).back();
  EXPECT_TRUE(last["enrolled"].asBool());
  EXPECT_EQ(last["broker"].asString(), "connected");
  EXPECT_EQ(last["host"].asString(), "broker");
  EXPECT_EQ(last["lastCommand"]["do"].asString(), "send");
  EXPECT_EQ(last["lastCommand"]["status"].asString(), "done");
  EXPECT_EQ(last["certificateUntil"].asInt64(), 1'800'000'000);
  rig.broker.there = false;
  rig.broker.lose(fleet::Loss::broken);
  rig.run(seconds(30));
  last = reports(rig).back();
  EXPECT_EQ(last["broker"].asString(), "away");
  EXPECT_NE(last["detail"].asString(), "");
  // Six times a minute, and no more.
  const std::size_t before = reports(rig).size();
  rig.run(minutes(10));
  EXPECT_EQ(reports(rig).size() - before, 60U);
}

TEST(FleetAgent, LeavesWhenThePageSaysSoAndTakesTheFleetsPauseBack) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(3));
  rig.broker.say("posthorn/v1/bakery/all/pause", R"({"pause":true})", true);
  rig.run(seconds(30));
  ASSERT_TRUE(rig.box.paused);
  rig.box.wish = "leave";
  rig.run(seconds(15));
  EXPECT_EQ(rig.ended, "left");
  EXPECT_FALSE(rig.box.paused);
  EXPECT_FALSE(rig.broker.connected);
  const std::size_t before = reports(rig).size();
  rig.run(minutes(1));
  EXPECT_EQ(reports(rig).size(), before);
}

TEST(FleetAgent, TakesTheFleetsPauseBackThoughTheLastLookSawNoDaemon) {
  FleetRig rig;
  rig.settings.poll = seconds(600);
  rig.start();
  rig.run(minutes(3));
  rig.broker.say("posthorn/v1/bakery/all/pause", R"({"pause":true})", true);
  rig.run(seconds(1));
  ASSERT_TRUE(rig.box.paused);
  rig.box.up = false;
  rig.run(minutes(10));
  rig.box.up = true;
  rig.box.wish = "leave";
  rig.run(seconds(15));
  EXPECT_EQ(rig.ended, "left");
  EXPECT_FALSE(rig.box.paused);
}

TEST(FleetAgent, APauseThatSomebodyMadeAtTheBoxStays) {
  FleetRig rig;
  rig.box.paused = true;
  rig.start();
  rig.run(minutes(5));
  EXPECT_TRUE(rig.box.paused);
}

TEST(FleetAgent, ARenewedCertificateThatTheBrokerRefusesIsGivenUp) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  rig.command(R"({"do":"renew","key":"r1","args":{"certificate":"good"}})");
  rig.run(milliseconds(100));
  rig.broker.there = false;
  rig.run(seconds(3));
  for (int i = 0; i < 6; ++i) rig.run(minutes(6));  // unreachable is no verdict
  EXPECT_TRUE(rig.identity.trial);
  rig.broker.there = true;
  rig.run(minutes(10));
  EXPECT_EQ(rig.identity.settled, 1);
  EXPECT_FALSE(rig.identity.trial);
}

TEST(FleetAgent, ATwinIsSeenByItsOwnName) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  const std::string own = rig.broker.retained[rig.topic("online")];
  rig.broker.say(rig.topic("online"), own, true);
  rig.run(seconds(1));
  EXPECT_TRUE(rig.broker.retained[rig.topic("alert/twin")].empty());
  rig.broker.say(rig.topic("online"), R"({"online":true,"run":"0123456789abcdef"})", true);
  rig.run(seconds(1));
  EXPECT_FALSE(rig.broker.retained[rig.topic("alert/twin")].empty());
  // From here on a lost connection is a take-over: it stays away for a while.
  const auto tries = rig.broker.tries;
  rig.broker.lose(fleet::Loss::broken);
  rig.run(seconds(25));
  EXPECT_EQ(rig.broker.tries, tries);
}

TEST(FleetAgent, WhatTheBrokersRulesRefuseIsNotForgotten) {
  FleetRig rig;
  rig.start();
  rig.run(minutes(2));
  rig.broker.refuse = true;
  rig.box.add_event("x");
  rig.run(minutes(3));
  EXPECT_EQ(rig.box.position, 0U);
  const auto tried = rig.broker.taken.size();
  EXPECT_LT(tried, 60U);
  rig.broker.refuse = false;
  rig.run(minutes(3));
  EXPECT_EQ(rig.box.position, 1U);
}

/// A broker's restart with 1,000 boxes: all back within five minutes, and no storm.
TEST(FleetAgent, AThousandBoxesComeBackWithoutAStorm) {
  for (const int down : {2, 30, 120}) {
    FakeScheduler scheduler;
    std::vector<std::unique_ptr<SeededRandom>> chances;
    std::vector<std::unique_ptr<MemoryBlobStore>> blobs;
    std::vector<std::unique_ptr<FakeBroker>> brokers;
    std::vector<std::unique_ptr<FakeBox>> boxes;
    std::vector<std::unique_ptr<FakeIdentity>> identities;
    std::vector<std::unique_ptr<fleet::Agent>> agents;
    fleet::Settings settings;
    settings.org = "bakery";
    settings.host = "broker";
    settings.share = fleet::Share::none;
    settings.poll = seconds(600);
    constexpr std::size_t kBoxes = 1000;
    for (std::size_t i = 0; i < kBoxes; ++i) {
      chances.push_back(std::make_unique<SeededRandom>(i + 1));
      blobs.push_back(std::make_unique<MemoryBlobStore>(scheduler));
      brokers.push_back(std::make_unique<FakeBroker>(scheduler));
      boxes.push_back(std::make_unique<FakeBox>(scheduler));
      identities.push_back(std::make_unique<FakeIdentity>());
      agents.push_back(
          std::make_unique<fleet::Agent>(fleet::Agent::Outside{scheduler,
                                                               *chances[i],
                                                               *blobs[i],
                                                               *brokers[i],
                                                               *boxes[i],
                                                               *identities[i],
                                                               nullptr,
                                                               nullptr,
                                                               {},
                                                               [](const std::string&) {}},
                                         settings));
      ASSERT_TRUE(agents[i]->start());
    }
    scheduler.advance(minutes(3));
    for (auto& broker : brokers) {
      ASSERT_TRUE(broker->connected);
      broker->there = false;
      broker->lose(fleet::Loss::broken);
    }
    std::size_t most = 0;
    std::size_t before = 0;
    for (auto& broker : brokers) before += broker->tries;
    int all_back = 0;
    for (int second = 1; second <= down + 300 && all_back == 0; ++second) {
      if (second == down) {
        for (auto& broker : brokers) broker->there = true;
      }
      scheduler.advance(seconds(1));
      std::size_t now = 0;
      std::size_t connected = 0;
      for (auto& broker : brokers) {
        now += broker->tries;
        connected += broker->connected ? 1U : 0U;
      }
      most = std::max(most, now - before);
      before = now;
      if (connected == kBoxes) all_back = second;
    }
    agents.clear();
    for (auto& broker : brokers) broker->stop();
    scheduler.advance(seconds(5));
    EXPECT_GT(all_back, 0) << "not all were back within five minutes";
    // The bar is 20 a second; a second of chance may have two more.
    EXPECT_LE(most, 22U);
    std::printf(
        "[fleet] broker away %d s, 1,000 boxes: all back after %d s, at most %zu tries a second\n",
        down, all_back, most);
  }
}

}  // namespace
}  // namespace posthorn::test
