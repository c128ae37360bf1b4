// A link that is lost and made anew: what waited goes on ten quiet minutes later, whatever happened
// on the way.

#include <gtest/gtest.h>

#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

/// A linked shop and a customer who has just written and been answered.
class Relink : public testing::Test {
 protected:
  Relink() : shop(established()) {
    shop.link();
    shop.pass(hours(9));
    simulator::NewAccount wish;
    wish.name = "Customer";
    who = shop.world.add_account(wish).pn.user;
    write();
    shop.send(who + "@c.us", "one");
    shop.pass(minutes(2));
    EXPECT_EQ(shop.world.inbox(who).size(), 1U);
  }

  void write() {
    simulator::PeerText message;
    message.to = shop.phone;
    message.text = "hello";
    ASSERT_TRUE(shop.world.peer_send(who, message).has_value());
    shop.pass(seconds(2));
  }
  void unlink() {
    ASSERT_TRUE(shop.world.unlink({shop.phone, "s.whatsapp.net", 1}).has_value());
    shop.pass(seconds(2));
  }
  /// The phone scans; the box has been told, no more.
  void pair() {
    std::optional<std::string> qr;
    for (int i = 0; i < 200 && !qr; ++i) {
      shop.pass(milliseconds(100));
      qr = shop.box->session().qr();
    }
    ASSERT_TRUE(qr.has_value());
    bool paired = false;
    shop.world.scan(*qr, shop.phone,
                    [&](Result<wire::Jid> device) { paired = device.has_value(); });
    for (int i = 0; i < 100 && !paired; ++i) shop.scheduler.run_posted();
    ASSERT_TRUE(paired);
  }
  void come_online() {
    for (int i = 0; i < 300 && shop.box->status().link != Status::Link::online; ++i)
      shop.pass(milliseconds(100));
    ASSERT_EQ(shop.box->status().link, Status::Link::online);
  }
  /// A second text, posted now, arrives when the stream has been quiet for ten minutes.
  void expect_it_goes_on() {
    write();
    shop.send(who + "@c.us", "two");
    shop.pass(minutes(9));
    EXPECT_EQ(shop.world.inbox(who).size(), 1U) << "the policy's ten quiet minutes";
    EXPECT_EQ(shop.state(), "blocked");
    shop.pass(minutes(2));
    EXPECT_EQ(shop.world.inbox(who).size(), 2U);
    EXPECT_EQ(shop.state(), "authorized");
    shop.take_notifications();
    EXPECT_EQ(shop.states.back().state, "authorized") << "told by itself";
  }

  Shop shop;
  std::string who;
};

TEST_F(Relink, GoesOnAfterTenMinutes) {
  unlink();
  EXPECT_EQ(shop.state(), "notAuthorized");
  shop.pass(hours(72));
  shop.link();
  expect_it_goes_on();
}

TEST_F(Relink, GoesOnAfterARestartThatFollows) {
  unlink();
  shop.pass(hours(72));
  shop.link();
  shop.pass(minutes(3));
  shop.restart();
  come_online();
  expect_it_goes_on();
}

TEST_F(Relink, GoesOnWhenThePowerIsCutBetweenTheScanAndTheLogin) {
  unlink();
  pair();
  shop.restart();
  come_online();
  expect_it_goes_on();
}

TEST_F(Relink, GoesOnWhenItWasUnlinkedWhileItWasOff) {
  shop.shut_down();
  unlink();
  shop.pass(hours(10));
  shop.boot();
  shop.pass(minutes(1));
  EXPECT_EQ(shop.state(), "notAuthorized");
  shop.link();
  expect_it_goes_on();
}

TEST_F(Relink, ABanIsStillAPersonsToEnd) {
  ASSERT_TRUE(shop.world.set_failure(shop.phone, 403).has_value());
  shop.pass(minutes(1));
  ASSERT_TRUE(shop.world.set_failure(shop.phone, 0).has_value());
  shop.box->session().reconnect();
  come_online();
  write();
  shop.send(who + "@c.us", "two");
  shop.pass(hours(2));
  EXPECT_EQ(shop.world.inbox(who).size(), 1U);
  EXPECT_EQ(shop.state(), "blocked");
}

}  // namespace
}  // namespace posthorn::scenario
