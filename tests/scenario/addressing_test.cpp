// A shop whose account WhatsApp has not moved to LIDs: every text to a LID is refused there.

#include <gtest/gtest.h>

#include <set>

#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

class Unmoved : public testing::Test {
 protected:
  Unmoved() : shop(established()) {
    shop.phone = shop.world.add_account().pn.user;
    for (int i = 0; i < 3; ++i) {
      simulator::NewAccount wish;
      wish.name = "Customer " + std::to_string(i);
      customers.push_back(shop.world.add_account(wish).pn.user);
      // Theirs is an account with LIDs, and they have a computer, too.
      EXPECT_TRUE(shop.world.peer_add_companion(customers.back()).has_value());
    }
  }
  void move(bool moved) {
    const std::string body = moved ? R"({"lid_migrated":true})" : R"({"lid_migrated":false})";
    shop.world.control(
        "PATCH", "/v1/accounts/" + shop.phone, body,
        [](const simulator::Simulator::Response& answer) { EXPECT_EQ(answer.status, 200); });
  }
  void start_the_day() {
    shop.link();
    shop.pass(hours(9));
    for (const std::string& who : customers) {
      simulator::PeerText message;
      message.to = shop.phone;
      message.text = "hello";
      ASSERT_TRUE(shop.world.peer_send(who, message).has_value());
    }
    shop.pass(seconds(5));
  }
  /// The servers that messages of ours were addressed to, in order, since the last call.
  std::vector<std::string> addressed() {
    std::vector<std::string> servers;
    for (const simulator::JournalEntry& entry : shop.world.journal(seen_)) {
      seen_ = entry.sequence;
      const auto to = entry.node.jid_attr("to");
      if (entry.direction == simulator::JournalEntry::Direction::in && entry.connection != 0 &&
          entry.node.tag == "message" && to && to->user != shop.phone)
        servers.push_back(to->server);
    }
    return servers;
  }
  void expect_sent(std::size_t customer, const std::string& text) {
    const std::string id = shop.send(customers[customer] + "@c.us", text);
    shop.pass(minutes(2));
    shop.take_notifications();
    EXPECT_EQ(shop.stories[id].statuses, (std::vector<std::string>{"sent", "delivered"})) << text;
    std::set<std::uint16_t> devices;
    for (const simulator::Received& received : shop.world.inbox(customers[customer]))
      if (received.text == text) devices.insert(received.device);
    EXPECT_EQ(devices, (std::set<std::uint16_t>{0, 1})) << text;
  }

  Shop shop;
  std::vector<std::string> customers;
  using Servers = std::vector<std::string>;

 private:
  std::uint64_t seen_ = 0;
};

TEST_F(Unmoved, TextsGoByNumberAndNothingFails) {
  move(false);
  start_the_day();
  (void)addressed();
  for (std::size_t i = 0; i < customers.size(); ++i) expect_sent(i, "text " + std::to_string(i));
  EXPECT_EQ(addressed(), (Servers(3, "s.whatsapp.net"))) << "pair-success said so";
  EXPECT_TRUE(shop.world.violations().empty());
}

TEST_F(Unmoved, ALidIsTriedOnceWhenNobodySaidSo) {
  move(true);
  start_the_day();
  move(false);
  (void)addressed();
  expect_sent(0, "one");
  EXPECT_EQ(addressed(), (Servers{"lid", "s.whatsapp.net"})) << "refused with 400, then by number";
  expect_sent(1, "two");
  shop.restart();
  shop.pass(minutes(2));
  expect_sent(2, "three");
  EXPECT_EQ(addressed(), (Servers(2, "s.whatsapp.net"))) << "remembered";
}

TEST_F(Unmoved, FollowsWhenTheAccountIsMoved) {
  move(false);
  start_the_day();
  (void)addressed();
  expect_sent(0, "by number");
  move(true);
  shop.pass(hours(25));
  expect_sent(0, "by LID");
  EXPECT_EQ(addressed(), (Servers{"s.whatsapp.net", "lid"})) << "the property is asked each day";
}

}  // namespace
}  // namespace posthorn::scenario
