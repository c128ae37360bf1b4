// What the composition of the daemon must do beside moving messages: each test names one join.

#include <gtest/gtest.h>

#include "posthorn/board/led.h"
#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

/// A linked shop at nine in the morning.
class Joins : public testing::Test {
 protected:
  explicit Joins(Config config = established()) : shop(std::move(config)) {
    shop.link();
    shop.pass(hours(9));
    shop.take_notifications();
  }
  std::string customer(const std::string& name) {
    simulator::NewAccount wish;
    wish.name = name;
    return shop.world.add_account(wish).pn.user;
  }
  void wrote(const std::string& who, const std::string& text) {
    simulator::PeerText message;
    message.to = shop.phone;
    message.text = text;
    ASSERT_TRUE(shop.world.peer_send(who, message).has_value());
    shop.pass(seconds(2));
  }
  [[nodiscard]] std::size_t received(const std::string& who) const {
    return shop.world.inbox(who).size();
  }
  [[nodiscard]] wire::Jid device() const { return {shop.phone, "s.whatsapp.net", 1}; }
  [[nodiscard]] board::Light light() const { return board::light_of(shop.box->status()); }
  void lock(hours length) {
    simulator::Simulator::Timelock lock{true, "WEB_COMPANION_ONLY", 0};
    lock.ends = (shop.world.now() + length).unix_seconds();
    ASSERT_TRUE(shop.world.set_timelock(shop.phone, lock).has_value());
  }

  Shop shop;
};

TEST_F(Joins, WithinASecondOfAYellowSignalEverybodyKnowsAndNoOpeningLeaves) {
  std::vector<std::string> people, ids;
  for (int i = 0; i < 4; ++i) people.push_back(customer("New " + std::to_string(i)));
  for (const std::string& who : people) ids.push_back(shop.send(who + "@c.us", "Hello " + who));
  for (int i = 0; i < 3000 && received(people[0]) == 0; ++i) shop.pass(milliseconds(100));
  ASSERT_EQ(received(people[0]), 1U) << json::write(shop.call("showMessagesQueue").body);
  shop.take_notifications();
  EXPECT_EQ(light(), board::Light::online);
  EXPECT_EQ(shop.state(), "authorized");
  const int looked = shop.led_changes;

  lock(hours(2));
  shop.pass(seconds(1));

  EXPECT_EQ(light(), board::Light::restricted);
  EXPECT_GT(shop.led_changes, looked) << "the LED was told, it did not have to ask";
  EXPECT_EQ(shop.state(), "yellowCard");
  shop.take_notifications();
  ASSERT_FALSE(shop.states.empty());
  EXPECT_EQ(shop.states.back().state, "yellowCard");
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(shop.stories[ids[static_cast<std::size_t>(i)]].statuses,
              std::vector<std::string>{"yellowCard"});
  }
  for (const auto& [id, reason] : shop.queue()) EXPECT_EQ(reason, "yellow") << id;
  EXPECT_EQ(shop.queue().size(), 3U) << "kept";
  shop.pass(hours(2));
  EXPECT_EQ(received(people[1]) + received(people[2]) + received(people[3]), 0U);

  // The lock and its margin of one hour are over: it goes on by itself.
  shop.pass(hours(3));
  shop.take_notifications();
  EXPECT_EQ(shop.states.back().state, "authorized");
  EXPECT_EQ(light(), board::Light::online);
  EXPECT_EQ(shop.state(), "authorized");
  // A quarter of half of the openings of two stages back: three in 24 h. The last one waits on.
  EXPECT_EQ(received(people[1]), 1U);
  EXPECT_EQ(received(people[2]), 1U);
  EXPECT_EQ(received(people[3]), 0U);
  EXPECT_EQ(shop.queue().size(), 1U);
  for (const auto& [id, reason] : shop.queue()) EXPECT_EQ(reason, "opening_cap") << id;
}

TEST_F(Joins, ARefusedOpeningIsAYellowCardAndIsNeverTriedAgain) {
  const std::string who = customer("Stranger");
  ASSERT_TRUE(shop.world.set_restricted(shop.phone, true).has_value());
  const std::string id = shop.send(who + "@c.us", "Hello");
  for (int i = 0; i < 3000 && shop.level() != "yellow"; ++i) shop.pass(milliseconds(100));
  ASSERT_EQ(shop.level(), "yellow");
  shop.pass(seconds(1));
  shop.take_notifications();
  EXPECT_EQ(shop.stories[id].end(), "failed");
  EXPECT_EQ(shop.states.back().state, "yellowCard");
  ASSERT_TRUE(shop.world.set_restricted(shop.phone, false).has_value());
  shop.pass(hours(60));
  EXPECT_EQ(received(who), 0U);
}

TEST_F(Joins, AfterARestartTheRestrictionIsStillTold) {
  lock(hours(30));
  shop.pass(seconds(1));
  EXPECT_EQ(shop.state(), "yellowCard");
  shop.restart();
  shop.pass(minutes(1));
  EXPECT_EQ(shop.state(), "yellowCard");
  EXPECT_EQ(light(), board::Light::restricted);
}

TEST_F(Joins, NobodyReconnectsBeforeTheBanAndItsHourAreOver) {
  ASSERT_TRUE(shop.world.set_failure(shop.phone, 402, 101, 2 * 3600).has_value());
  shop.pass(minutes(1));
  EXPECT_EQ(shop.state(), "blocked");
  EXPECT_EQ(shop.box->status().throttle, Status::Throttle::red);
  const std::size_t dialled = shop.dialer.dialled;
  shop.call("reboot");
  shop.pass(hours(1));
  shop.restart();
  shop.pass(minutes(70));
  // The ban itself is over now; the hour after it is the throttle's.
  ASSERT_TRUE(shop.world.set_failure(shop.phone, 0).has_value());
  shop.call("reboot");
  shop.pass(minutes(40));
  EXPECT_EQ(shop.dialer.dialled, dialled) << "a reboot is no way around it";
  EXPECT_TRUE(shop.box->status().until.has_value());
  shop.pass(minutes(15));
  EXPECT_EQ(shop.dialer.dialled, dialled + 1);
  EXPECT_EQ(shop.box->status().link, Status::Link::online);
  EXPECT_TRUE(shop.call("getThrottleStatus").body["needsAcknowledgement"].asBool());
}

TEST_F(Joins, ChangedThrottleSettingsSurviveARestart) {
  EXPECT_EQ(shop.care("setThrottleSettings",
                      R"({"who":"owner","gap_first_min_ms":200000,"gap_first_max_ms":300000})")
                .status,
            200)
      << "a pair may move together, above the old maximum";
  EXPECT_EQ(shop.care("setThrottleSettings", R"({"who":"owner","hour_limit":30})").status, 200);
  shop.restart();
  shop.pass(minutes(1));
  auto settings = shop.call("getThrottleSettings").body;
  EXPECT_EQ(settings["gap_first_min_ms"]["value"].asInt(), 200'000);
  EXPECT_EQ(settings["gap_first_max_ms"]["value"].asInt(), 300'000);
  EXPECT_EQ(settings["hour_limit"]["value"].asInt(), 30);
  EXPECT_EQ(shop.call("getThrottleStatus").body["windows"]["hour"]["allowed"].asInt(), 30);
  // null: as in posthorn.toml again.
  EXPECT_EQ(shop.care("setThrottleSettings", R"({"who":"owner","hour_limit":null})").status, 200);
  EXPECT_EQ(shop.call("getThrottleStatus").body["windows"]["hour"]["allowed"].asInt(), 60);
  shop.restart();
  EXPECT_EQ(shop.call("getThrottleSettings").body["hour_limit"]["value"].asInt(), 60);
}

TEST_F(Joins, AThrottleSettingOutOfItsRangeIsRefusedWithTheRange) {
  const auto refused = shop.care("setThrottleSettings", R"({"who":"owner","hour_limit":201})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(json::write(refused.body).find("10 .. 200"), std::string::npos);
  const auto delay = shop.care("setThrottleSettings", R"({"who":"owner","delay_ms":700})");
  EXPECT_EQ(delay.status, 400);
  EXPECT_NE(json::write(delay.body).find("setSettings"), std::string::npos) << "who owns it";
  EXPECT_EQ(shop.call("getThrottleSettings").body["hour_limit"]["value"].asInt(), 60);
}

TEST_F(Joins, TheDelayOfSetSettingsSurvivesARestart) {
  EXPECT_EQ(shop.post("setSettings", R"({"delaySendMessagesMilliseconds":20000})").status, 200);
  EXPECT_EQ(shop.call("getThrottleSettings").body["delay_ms"]["value"].asInt(), 20'000);
  shop.restart();
  EXPECT_EQ(shop.call("getThrottleSettings").body["delay_ms"]["value"].asInt(), 20'000);
}

TEST_F(Joins, LookUpsAreChargedToTheBudgetAndItSurvivesARestart) {
  int answered = 0;
  const auto ask = [this](int n) {
    const std::string number = std::to_string(4915550100000LL + n);
    shop.pass(seconds(1));
    return shop.post("checkWhatsapp", R"({"phoneNumber":)" + number + "}").status;
  };
  for (int n = 0; n < 50; ++n) answered += ask(n) == 200 ? 1 : 0;
  shop.restart();
  for (int i = 0; i < 60 && shop.box->status().link != Status::Link::online; ++i)
    shop.pass(seconds(1));
  for (int n = 50; n < 70; ++n) answered += ask(n) == 200 ? 1 : 0;
  EXPECT_EQ(answered, 60);
  EXPECT_EQ(ask(70), 469);
  EXPECT_EQ(shop.call("getThrottleStatus").body["windows"]["look_ups_hour"]["used"].asInt(), 60);
  shop.pass(minutes(61));
  EXPECT_EQ(ask(71), 200);
}

TEST_F(Joins, AMessageAcceptedBeforeAnybodyKnewTheTimeDoesNotExpireWhenItIsTold) {
  const std::string who = customer("Regular");
  wrote(who, "hello");
  shop.dialer.refuse = true;
  ASSERT_TRUE(shop.world.drop(device()).has_value());
  shop.pass(seconds(1));
  const std::string kept = shop.send(who + "@c.us", "before the power cut");
  shop.shut_down();
  // Three days without power; the board has no battery and wakes in 1970, without a network.
  shop.pass(hours(72) + hours(2));
  const milliseconds behind = shop.world.now() - Wall::from_unix(0);
  shop.scheduler.wall_at_start = shop.scheduler.wall_at_start - behind;
  shop.world.set_clock_offset(behind);
  shop.boot();
  shop.pass(minutes(5));
  EXPECT_FALSE(shop.box->status().clock_trusted);
  const std::string dark = shop.send(who + "@c.us", "in the dark");
  shop.pass(hours(1));
  shop.dialer.refuse = false;
  for (int i = 0; i < 600 && received(who) == 0; ++i) shop.pass(minutes(1));
  EXPECT_TRUE(shop.box->status().clock_trusted) << shop.box->status().link_cause;
  shop.take_notifications();
  EXPECT_EQ(shop.stories[dark].end(), "sent") << shop.stories[dark].description;
  EXPECT_EQ(received(who), 1U);
  EXPECT_EQ(shop.stories[kept].end(), "failed") << "three days old: its time is really over";
  EXPECT_EQ(shop.stories[kept].description, "expired");
}

TEST_F(Joins, MetricsTellOfEveryModule) {
  const std::string who = customer("Customer");
  simulator::PeerScript script;
  script.read_after = seconds(1);
  ASSERT_TRUE(shop.world.peer_script(who, script).has_value());
  wrote(who, "hello");
  shop.send(who + "@c.us", "hello yourself");
  const std::string stranger = customer("Stranger");
  ASSERT_TRUE(shop.world.set_restricted(shop.phone, true).has_value());
  shop.send(stranger + "@c.us", "hello stranger");
  shop.pass(minutes(5));
  ASSERT_TRUE(shop.world.drop(device()).has_value());
  shop.pass(minutes(2));
  shop.dialer.refuse = true;
  ASSERT_TRUE(shop.world.drop(device()).has_value());
  shop.send(who + "@c.us", "waits for the network");
  shop.pass(minutes(2));
  const std::string text = shop.metrics();
  for (const char* wanted :
       {"posthorn_queue_pending{queue=\"outbox\"} 1\n",
        "posthorn_queue_oldest_age_seconds{queue=\"outbox\"} 120",
        "posthorn_queue_pending{queue=\"inbox\"}",
        "posthorn_throttle_window_used{window=\"openings_day\"} 1\n",
        "posthorn_throttle_window_allowed{window=\"hour\"}",
        "posthorn_throttle_level{level=\"yellow\"} 1\n",
        "posthorn_throttle_sent_total{lane=\"reply\"} 1\n",
        "posthorn_jobs_total{fate=\"sent\"} 1\n", "posthorn_send_failures_total{code=\"463\"} 1\n",
        "posthorn_receipts_total{kind=\"delivered\"} 1\n",
        "posthorn_receipts_total{kind=\"read\"} 1\n", "posthorn_session_reconnects_total 1\n",
        "posthorn_messages_received_total 1\n", "posthorn_process_resident_memory_bytes",
        "posthorn_throttle_overrides_active 0\n"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted;
  }
  if (HasFailure()) std::puts(text.c_str());
}

TEST_F(Joins, TheSentenceForPeopleIsInTheStatus) {
  for (int i = 0; i < 3; ++i) shop.send(customer("New " + std::to_string(i)) + "@c.us", "Hello");
  shop.pass(minutes(10));
  EXPECT_EQ(shop.call("getThrottleStatus").body["sentence"].asString(),
            "3 of 40 new customers today.");
  EXPECT_EQ(shop.care("addThrottleOverride",
                      R"({"limit":"openings","who":"owner","reason":"grand opening day"})")
                .status,
            200);
  EXPECT_EQ(shop.call("getThrottleStatus").body["sentence"].asString(),
            "3 of 80 new customers today.");
}

TEST_F(Joins, AReactionReachesTheTill) {
  const std::string ida = customer("Ida");
  wrote(ida, "Is the cake ready?");
  const std::string id = shop.send(ida + "@c.us", "Yes");
  for (int i = 0; i < 3000 && received(ida) == 0; ++i) shop.pass(milliseconds(100));
  shop.take_notifications();
  shop.texts.clear();
  simulator::PeerText reaction;
  reaction.to = shop.phone;
  reaction.reaction_to = id;
  for (const char* emoji : {"\xF0\x9F\x91\x8D", ""}) {
    reaction.text = emoji;
    ASSERT_TRUE(shop.world.peer_send(ida, reaction).has_value());
    shop.pass(seconds(2));
  }
  shop.take_notifications();
  ASSERT_EQ(shop.texts.size(), 2U);
  const json::Value given = *json::parse(shop.texts[0]);
  EXPECT_EQ(given["typeMessage"].asString(), "reactionMessage");
  EXPECT_EQ(given["extendedTextMessageData"]["text"].asString(), "\xF0\x9F\x91\x8D");
  EXPECT_EQ(given["quotedMessage"]["stanzaId"].asString(), id);
  EXPECT_EQ(given["quotedMessage"]["participant"].asString(), shop.phone + "@c.us");
  EXPECT_EQ((*json::parse(shop.texts[1]))["extendedTextMessageData"]["text"].asString(), "");
}

/// A number that is linked for the first time: five new customers a day.
class NewNumber : public Joins {
 protected:
  NewNumber() : Joins(Config{}) {}
};

TEST_F(NewNumber, TheSentenceTellsOfTodayTheNextAndTheMorning) {
  std::vector<std::string> regulars;
  for (int i = 0; i < 3; ++i) {
    regulars.push_back(customer("Regular " + std::to_string(i)));
    wrote(regulars.back(), "hello");
  }
  shop.pass(hours(24 * 2 + 10));  // seven in the evening, two days later
  for (int i = 0; i < 5; ++i) shop.send(customer("New " + std::to_string(i)) + "@c.us", "Hello");
  shop.pass(hours(2) + minutes(5));
  for (const std::string& who : regulars) shop.send(who + "@c.us", "Your receipt");
  shop.pass(seconds(1));
  const std::string sentence = shop.call("getThrottleStatus").body["sentence"].asString();
  EXPECT_TRUE(sentence.starts_with("5 of 5 new customers today. Next new customer at 19:0"))
      << sentence;
  EXPECT_TRUE(sentence.ends_with(". 3 jobs wait for the morning.")) << sentence;
  for (const auto& [id, reason] : shop.queue()) EXPECT_EQ(reason, "quiet_hours") << id;
  shop.pass(hours(12));
  EXPECT_TRUE(shop.queue().empty()) << "the morning has come";
}

TEST_F(Joins, ACustomerIsOnePersonUnderEveryName) {
  simulator::NewAccount wish;
  wish.name = "Ida";
  const auto ida = shop.world.add_account(wish);
  const std::string number = ida.pn.user;
  const std::string lid = ida.lid.user;
  wrote(number, "STOP");
  shop.pass(minutes(5));
  // Whatever the till calls them, they have opted out.
  for (const std::string& name : {number + "@c.us", lid + "@lid"}) {
    const std::string id = shop.send(name, "Hello " + name);
    shop.pass(minutes(1));
    shop.take_notifications();
    EXPECT_EQ(shop.stories[id].description, "opted_out") << name;
  }
  EXPECT_EQ(shop.call("getOptOuts").body.size(), 1U);
  EXPECT_EQ(shop.call("getOptOuts").body[0]["chatId"].asString(), number + "@c.us");
  const auto removed = shop.care(
      "removeOptOut", R"({"chatId":"+)" + number + R"(","who":"Ida","reason":"wants them again"})");
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(shop.call("getOptOuts").body.size(), 0U);
}

}  // namespace
}  // namespace posthorn::scenario
