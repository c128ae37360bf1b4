// Statuses from the till to the people who see them, and what disappears.

#include <gtest/gtest.h>

#include "posthorn/wire/wa.pb.h"
#include "shop.h"

namespace posthorn::scenario {
namespace {

using simulator::Received;

Config story_config() {
  Config config = established();
  config.throttle.quiet_from = "00:00";
  config.throttle.quiet_to = "00:00";
  config.whatsapp.media_insecure_hosts = {"127.0.0.1"};
  return config;
}

class StoryDay : public testing::Test {
 protected:
  void SetUp() override {
    ida = shop.world.add_account({"4915550002222", "Ida"}).pn.user;
    ben = shop.world.add_account({"4915550003333", "Ben"}).pn.user;
    (void)shop.world.peer_add_companion(ida);
    shop.link();
    shop.pass(seconds(5));
  }
  std::string posts(const std::string& method, const std::string& body) {
    const auto answer = shop.post(method, body);
    EXPECT_EQ(answer.status, 200) << json::write(answer.body);
    return answer.body["idMessage"].asString();
  }
  std::string says(const std::string& text, const std::vector<std::string>& people) {
    json::Value body;
    body["message"] = text;
    for (const std::string& one : people) body["participants"].append(one + "@c.us");
    return posts("sendTextStatus", json::write(body));
  }
  std::optional<Received> got(const std::string& who, const std::string& id,
                              const std::string& kind = "text") {
    for (int i = 0; i < 120; ++i) {
      for (const Received& one : shop.world.inbox(who)) {
        const bool same = kind == "text" ? one.id == id : one.target_id == id;
        if (same && one.kind == kind) return one;
      }
      shop.pass(seconds(1));
    }
    return std::nullopt;
  }
  std::size_t texts(const std::string& who) {
    const auto all = shop.world.inbox(who);
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [](const Received& one) { return one.kind == "text"; }));
  }

  Shop shop{story_config()};
  std::string ida, ben;
};

TEST_F(StoryDay, AStatusIsSeenByThoseWhoAreNamedOnEachOfTheirDevices) {
  const std::string first = says("Fresh bread", {ida});
  const auto seen = got(ida, first);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->chat, "status@broadcast");
  EXPECT_EQ(seen->text, "Fresh bread");
  wa::Message message;
  ASSERT_TRUE(message.ParseFromString(to_string(seen->protobuf)));
  EXPECT_EQ(message.extendedtextmessage().backgroundargb(), 0xFF228B22U);
  shop.pass(seconds(5));
  EXPECT_EQ(texts(ida), 2U) << "phone and companion";
  EXPECT_EQ(texts(ben), 0U);
  // The second one goes under the same key: its holders are named only.
  ASSERT_TRUE(got(ida, says("Rolls", {ida})));
  shop.pass(seconds(5));
  EXPECT_EQ(texts(ida), 4U);
  // Somebody more, and then somebody less: whoever is not meant cannot read it.
  ASSERT_TRUE(got(ben, says("Cake", {ida, ben})));
  ASSERT_TRUE(got(ben, says("For Ben", {ben})));
  shop.pass(seconds(5));
  EXPECT_EQ(texts(ida), 6U);
  EXPECT_TRUE(shop.world.violations().empty()) << shop.world.violations().front().what;
  shop.take_notifications();
  EXPECT_EQ(shop.stories[first].end(), "sent");
}

TEST_F(StoryDay, OneIsTakenBack) {
  const std::string id = says("Fresh bread", {ida, ben});
  ASSERT_TRUE(got(ida, id));
  shop.pass(seconds(20));
  const auto answer = shop.post("deleteStatus", R"({"idMessage":")" + id + "\"}");
  ASSERT_EQ(answer.status, 200) << json::write(answer.body);
  EXPECT_TRUE(got(ida, id, "revoke"));
  EXPECT_TRUE(got(ben, id, "revoke"));
  EXPECT_TRUE(shop.world.violations().empty()) << shop.world.violations().front().what;
}

TEST_F(StoryDay, ThereAreFourInADay) {
  for (int i = 0; i < 4; ++i) says("Number " + std::to_string(i), {ida});
  json::Value body;
  body["message"] = "too much";
  body["participants"].append(ida + "@c.us");
  const auto answer = shop.post("sendTextStatus", json::write(body));
  EXPECT_EQ(answer.status, 466) << json::write(answer.body);
  EXPECT_NE(answer.body["message"].asString().find("4 of 4"), std::string::npos)
      << json::write(answer.body);
}

TEST_F(StoryDay, WithoutContactsNobodyWouldSeeIt) {
  const std::string id = says("Fresh bread", {});
  for (int i = 0; i < 60 && shop.stories[id].end().empty(); ++i) {
    shop.pass(seconds(1));
    shop.take_notifications();
  }
  EXPECT_EQ(shop.stories[id].end(), "failed");
  EXPECT_NE(shop.stories[id].description.find("participants"), std::string::npos)
      << shop.stories[id].description;
}

TEST_F(StoryDay, APictureIsAStatusToo) {
  const std::string jpeg = "\xFF\xD8\xFF\xE0 and more of it";
  shop.http.pages["https://shop.example/a.jpg"] = {200, jpeg, "image/jpeg"};
  json::Value body;
  body["urlFile"] = "https://shop.example/a.jpg";
  body["fileName"] = "a.jpg";
  body["caption"] = "Today";
  body["participants"].append(ida + "@c.us");
  const std::string id = posts("sendMediaStatus", json::write(body));
  for (int i = 0; i < 60; ++i) shop.pass(seconds(1));
  const auto all = shop.world.inbox(ida);
  const auto seen =
      std::find_if(all.begin(), all.end(), [&](const Received& one) { return one.id == id; });
  ASSERT_NE(seen, all.end());
  EXPECT_EQ(seen->kind, "image");
  EXPECT_EQ(seen->text, "Today");
  ASSERT_TRUE(seen->file);
  EXPECT_EQ(seen->file->size, jpeg.size());
}

TEST_F(StoryDay, AChatsTimerIsOnEveryMessageAfterIt) {
  simulator::PeerText hello;
  hello.to = shop.phone;
  hello.text = "Hello";
  ASSERT_TRUE(shop.world.peer_send(ida, hello));
  shop.pass(seconds(5));
  posts("setDisappearingChat", R"({"chatId":")" + ida + R"(@c.us","ephemeralExpiration":86400})");
  shop.pass(seconds(30));
  const auto seen = got(ida, shop.send(ida + "@c.us", "Ready"));
  ASSERT_TRUE(seen);
  wa::Message message;
  ASSERT_TRUE(message.ParseFromString(to_string(seen->protobuf)));
  EXPECT_EQ(message.extendedtextmessage().contextinfo().expiration(), 86'400U);
  const auto all = shop.world.inbox(ida);
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const Received& one) {
    wa::Message said;
    return said.ParseFromString(to_string(one.protobuf)) &&
           said.protocolmessage().ephemeralexpiration() == 86'400;
  }));
}

}  // namespace
}  // namespace posthorn::scenario
