// A group of a shop and its people, through the whole box and the simulator, in both address forms.

#include <gtest/gtest.h>

#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

Config established() {
  Config config;
  config.throttle.number_in_use_months = 6;
  return config;
}

class GroupDay : public testing::TestWithParam<bool> {
 protected:
  GroupDay() : shop(established()) {
    shop.link();
    for (const char* name : {"Ida", "Ben", "Mia"}) {
      simulator::NewAccount wish;
      wish.name = name;
      people.push_back(shop.world.add_account(wish).pn.user);
    }
    (void)shop.world.peer_add_companion(people[0]);
    json::Value body;
    body["creator"] = people[0];
    body["members"].append(shop.phone);
    body["members"].append(people[1]);
    body["subject"] = "Bakers";
    body["by_lid"] = GetParam();
    group = json::string_at(ask_world("POST", "/v1/groups", body), "jid").value_or("");
    // A day in the group, as the policy wants before the first message.
    shop.pass(hours(33));
    shop.take_notifications();
  }
  json::Value ask_world(const char* method, const std::string& path, const json::Value& body) {
    json::Value answer;
    shop.world.control(method, path, json::write(body),
                       [&](simulator::Simulator::Response response) { answer = response.body; });
    shop.pass(milliseconds(10));
    return answer;
  }
  void change(const char* verb, const std::string& who) {
    json::Value body;
    body["verb"] = verb;
    body["who"] = who;
    ask_world("POST", "/v1/groups/" + group + "/do", body);
    shop.pass(seconds(1));
  }
  void writes(const std::string& who, const std::string& text, bool tamper = false) {
    simulator::PeerText message;
    message.to = group;
    message.text = text;
    message.tamper = tamper;
    const auto sent = shop.world.peer_send(who, message);
    ASSERT_TRUE(sent) << to_string(sent.error());
    shop.pass(seconds(2));
  }
  /// Posts and waits until somebody has it.
  std::string posts(const std::string& text, const std::string& reader) {
    const std::size_t had = texts(reader).size();
    const std::string id = shop.send(group, text);
    for (int i = 0; i < 3000 && texts(reader).size() == had; ++i) shop.pass(milliseconds(200));
    shop.pass(seconds(2));
    shop.take_notifications();
    return id;
  }
  [[nodiscard]] std::vector<std::string> texts(const std::string& who) const {
    std::vector<std::string> out;
    for (const auto& received : shop.world.inbox(who)) {
      const bool here = received.chat == group && received.kind == "text";
      if (here && received.device == 0) out.push_back(received.text);
    }
    return out;
  }
  /// What the till was told.
  [[nodiscard]] std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const std::string& data : shop.texts) {
      const auto parsed = json::parse(data).value_or(json::Value());
      out.push_back(
          json::string_at(json::at(parsed, "textMessageData"), "textMessage").value_or("?"));
    }
    return out;
  }
  void expect_no_violations() {
    for (const auto& violation : shop.world.violations()) ADD_FAILURE() << violation.what;
  }

  Shop shop;
  std::vector<std::string> people;
  std::string group;
};

using Texts = std::vector<std::string>;

TEST_P(GroupDay, WhatMembersSayReachesTheTillAndWhatTheTillSaysThem) {
  writes(people[0], "flour is out");
  writes(people[1], "I bring some");
  shop.take_notifications();
  EXPECT_EQ(told(), (Texts{"flour is out", "I bring some"}));
  const std::string id = posts("thank you", people[1]);
  EXPECT_EQ(texts(people[0]).back(), "thank you");
  EXPECT_EQ(texts(people[1]).back(), "thank you");
  ASSERT_GE(shop.stories[id].statuses.size(), 2U);
  EXPECT_EQ(shop.stories[id].statuses[0], "sent");
  EXPECT_EQ(shop.stories[id].statuses[1], "delivered");
  ASSERT_TRUE(shop.world.peer_read(people[1], id));
  shop.pass(seconds(1));
  shop.take_notifications();
  EXPECT_EQ(shop.stories[id].statuses.back(), "read");
  expect_no_violations();
}

TEST_P(GroupDay, WhoeverLeavesReadsNoMoreAndWhoeverJoinsReadsFromThenOn) {
  posts("one", people[1]);
  change("remove", people[1]);
  posts("two", people[0]);
  change("add", people[2]);
  posts("three", people[2]);
  EXPECT_EQ(texts(people[0]), (Texts{"one", "two", "three"}));
  EXPECT_EQ(texts(people[1]), (Texts{"one"}));
  EXPECT_EQ(texts(people[2]), (Texts{"three"}));
  writes(people[2], "hello");
  shop.take_notifications();
  EXPECT_EQ(told().back(), "hello");
  expect_no_violations();
}

TEST_P(GroupDay, AMemberWhoLostItsKeysIsHelped) {
  posts("one", people[1]);
  ASSERT_TRUE(shop.world.peer_lose_session(people[1]));
  ASSERT_TRUE(shop.world.peer_reregister(people[1]));
  posts("two", people[1]);
  EXPECT_EQ(texts(people[1]).back(), "two");
  writes(people[0], "broken on the way", true);
  shop.pass(seconds(3));
  shop.take_notifications();
  EXPECT_EQ(told().back(), "broken on the way") << "asked for again and got";
  expect_no_violations();
}

TEST_P(GroupDay, ADeviceThatTheBoxDidNotKnowOfReadsTheSameMessage) {
  posts("one", people[1]);
  const auto device = shop.world.peer_add_companion(people[1]);
  ASSERT_TRUE(device);
  posts("two", people[1]);
  shop.pass(seconds(5));
  std::size_t copies = 0;
  for (const auto& received : shop.world.inbox(people[1])) copies += received.text == "two" ? 1 : 0;
  EXPECT_EQ(copies, 2U) << "phone and companion";
  expect_no_violations();
}

TEST_P(GroupDay, ABoxThatWasPutOutOfTheGroupIsTold) {
  change("remove", shop.phone);
  const std::string id = shop.send(group, "anybody?");
  for (int i = 0; i < 600 && shop.stories[id].statuses.empty(); ++i) {
    shop.pass(milliseconds(500));
    shop.take_notifications();
  }
  EXPECT_EQ(shop.stories[id].statuses, (Texts{"notInGroup"}));
  expect_no_violations();
}

INSTANTIATE_TEST_SUITE_P(BothAddressForms, GroupDay, testing::Bool(),
                         [](const auto& param) { return param.param ? "ByLid" : "ByNumber"; });

}  // namespace
}  // namespace posthorn::scenario
