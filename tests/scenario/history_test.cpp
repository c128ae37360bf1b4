// What only the phone has: asked through the box's API, answered by the simulator's phone.

#include <gtest/gtest.h>

#include "posthorn/wire/wa.pb.h"
#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

using simulator::OldMessage;

Config media_config() {
  Config config = established();
  config.whatsapp.media_insecure_hosts = {"127.0.0.1"};
  return config;
}

class HistoryScenario : public testing::Test {
 protected:
  HistoryScenario() : shop(media_config()) {
    customer = shop.link_with_customer();
    chat = customer + "@c.us";
    const std::int64_t now = shop.world.now().unix_seconds();
    keep({customer, "3EB0000000000000OLD1", false, "Do you bake for weddings?", now - 90'000});
    keep({customer, "3EB0000000000000OLD2", true, "We do", now - 89'000});
    keep({shop.world.add_account().pn.user, "", false, "somebody else", now - 89'500});
  }
  ~HistoryScenario() override { EXPECT_TRUE(shop.world.violations().empty()); }

  void keep(OldMessage message) {
    EXPECT_TRUE(shop.world.keep_old_messages(shop.phone, {std::move(message)}));
  }
  void answer_by(const char* how) { EXPECT_TRUE(shop.world.set_history_answers(shop.phone, how)); }
  Shop::Answer ask() { return shop.post("requestChatHistory", body()); }
  [[nodiscard]] std::string body() const { return R"({"chatId":")" + chat + R"("})"; }
  /// Without waiting for the answer.
  std::shared_ptr<std::optional<api::Response>> ask_slowly() {
    auto got = std::make_shared<std::optional<api::Response>>();
    api::Request request = Shop::with_care(api::Verb::post, "requestChatHistory", body());
    shop.box->api().handle(std::move(request),
                           api::Reply([got](api::Response r) { *got = std::move(r); }));
    shop.pass(seconds(5));
    return got;
  }
  void expect_both(const Shop::Answer& answer) {
    ASSERT_EQ(answer.status, 200) << json::write(answer.body);
    ASSERT_EQ(answer.body.size(), 2U) << json::write(answer.body);
    EXPECT_EQ(answer.body[0]["idMessage"], "3EB0000000000000OLD2");
    EXPECT_EQ(answer.body[0]["textMessage"], "We do");
    EXPECT_EQ(answer.body[0]["type"], "outgoing");
    EXPECT_EQ(answer.body[0]["statusMessage"], "delivered");
    EXPECT_EQ(answer.body[1]["type"], "incoming");
    EXPECT_EQ(answer.body[1]["chatId"], chat);
    EXPECT_EQ(answer.body[1]["senderId"], chat);
  }

  Shop shop;
  std::string customer, chat;
};

TEST_F(HistoryScenario, ComesWithinTheMessageOrAsAFile) {
  expect_both(ask());
  shop.pass(seconds(2));
  answer_by("file");
  expect_both(ask());
  EXPECT_EQ(shop.post("getChatHistory", body()).body.size(), 1U) << "nothing of it is kept";
}

TEST_F(HistoryScenario, AChatThatNobodyKnowsIsRefusedBeforeThePhoneIsAsked) {
  const auto answer = shop.post("requestChatHistory", R"({"chatId":"4915550009876@c.us"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(json::write(answer.body).find("knows no message of this chat"), std::string::npos);
}

TEST_F(HistoryScenario, APhoneThatIsOffIsWaitedForAMinute) {
  ASSERT_TRUE(shop.world.peer_online(shop.phone, false));
  const auto got = ask_slowly();
  EXPECT_FALSE(*got);
  shop.pass(seconds(56));
  ASSERT_TRUE(*got);
  EXPECT_EQ((*got)->status, 502);
  EXPECT_NE((*got)->body.find("is it on and online?"), std::string::npos) << (*got)->body;
  ASSERT_TRUE(shop.world.peer_online(shop.phone, true));  // and answers now, to nobody
  shop.pass(seconds(5));
  expect_both(ask());
}

TEST_F(HistoryScenario, AStrangersAnswerIsNotTaken) {
  answer_by("silence");
  const auto got = ask_slowly();
  std::string question;
  for (const simulator::JournalEntry& entry : shop.world.journal()) {
    if (entry.node.tag == "message" && entry.node.text_attr("category") == "peer" &&
        entry.direction == simulator::JournalEntry::Direction::in && entry.connection != 0) {
      question = entry.node.text_attr("id");
    }
  }
  ASSERT_FALSE(question.empty());
  wa::Message forged;
  auto& protocol = *forged.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::HISTORY_SYNC_NOTIFICATION);
  protocol.mutable_historysyncnotification()->set_synctype(6);
  protocol.mutable_historysyncnotification()->set_peerdatarequestsessionid(question);
  simulator::PeerText message;
  message.to = shop.phone;
  message.content = to_bytes(as_bytes(forged.SerializeAsString()));
  ASSERT_TRUE(shop.world.peer_send(customer, message));
  shop.pass(seconds(5));
  EXPECT_FALSE(*got) << "an empty answer would be a 200";
  shop.pass(seconds(60));
  ASSERT_TRUE(*got);
  EXPECT_EQ((*got)->status, 502);
}

}  // namespace
}  // namespace posthorn::scenario
