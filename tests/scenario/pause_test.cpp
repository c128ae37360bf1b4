#include <gtest/gtest.h>

#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

TEST(Pause, OfAPersonOutlivesSettingsAndAReboot) {
  Shop shop;
  shop.link_with_customer();
  EXPECT_EQ(shop.post("pauseSending", R"({"who":"Ida","minutes":60})").status, 200);
  EXPECT_EQ(shop.post("setSettings", R"({"webhookUrl":"http://192.168.1.9/hook"})").status, 200);
  EXPECT_TRUE(shop.call("reboot").body["isReboot"].asBool());
  shop.pass(seconds(30));
  const json::Value held = shop.call("getThrottleStatus").body;
  EXPECT_TRUE(held["connected"].asBool());
  EXPECT_TRUE(held["paused"].asBool());
  shop.pass(hours(1));
  EXPECT_FALSE(shop.call("getThrottleStatus").body["paused"].asBool());
}

}  // namespace
}  // namespace posthorn::scenario
