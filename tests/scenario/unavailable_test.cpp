// A message that WhatsApp has for the shop's phone only, through the whole of the box.

#include <gtest/gtest.h>

#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

class Unavailable : public testing::Test {
 protected:
  Unavailable() {
    customer = shop.link_with_customer();
    shop.take_notifications();
    shop.texts.clear();
    shop.pass(seconds(3));  // what was deleted does not come again after a restart
  }
  ~Unavailable() override { EXPECT_TRUE(shop.world.violations().empty()); }

  void says(const std::string& text) {
    simulator::PeerText wish;
    wish.to = shop.phone;
    wish.text = text;
    wish.unavailable = "none";
    EXPECT_TRUE(shop.world.peer_send(customer, wish));
  }
  /// The messageData of all that the till was told.
  std::vector<std::string> told() {
    shop.take_notifications();
    return shop.texts;
  }

  Shop shop{established()};
  std::string customer;
};

TEST_F(Unavailable, IsGotFromThePhone) {
  says("is there still bread?");
  shop.pass(seconds(10));
  ASSERT_EQ(told().size(), 1U);
  EXPECT_NE(told()[0].find("is there still bread?"), std::string::npos);
  shop.pass(minutes(20));
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(Unavailable, IsGotFromThePhoneAfterARestart) {
  says("is there still bread?");
  shop.pass(milliseconds(500));
  shop.restart();
  shop.pass(minutes(1));
  ASSERT_EQ(told().size(), 1U);
  EXPECT_NE(told()[0].find("is there still bread?"), std::string::npos);
}

}  // namespace
}  // namespace posthorn::scenario
