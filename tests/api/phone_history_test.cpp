#include <gtest/gtest.h>

#include "api/box.h"

// What only the phone has, and how much of it the phone has told by itself.
namespace posthorn::api::test {
namespace {

constexpr std::int64_t kNow = 1'767'225'600;
constexpr const char* kIda = "4915550007777@c.us";
constexpr const char* kAsk = R"({"chatId":"4915550007777@c.us"})";

chat::Message said(const std::string& id, std::int64_t at, Content::What what) {
  chat::Message message;
  message.id = id;
  message.chat = message.sender = kIda;
  message.sender_name = "Ida";
  message.timestamp = Wall::from_unix(at);
  message.content.what = std::move(what);
  return message;
}

class PhoneHistoryTest : public ::testing::Test {
 protected:
  PhoneHistoryTest() : box(0) {
    box.keep_journal();
    box.recorder->on_event(said("3EB0000000000000KNO1", kNow - 100, text("Is the cake ready?")));
    box.recorder->on_event(said("3EB0000000000000KNO2", kNow - 50, text("Hello?")));
  }
  static content::Text text(const std::string& body) { return {body, true, std::nullopt}; }
  std::shared_ptr<Answer> ask(const std::string& body = kAsk) {
    return box.post("requestChatHistory", body);
  }

  Box box;
};

TEST_F(PhoneHistoryTest, IsAskedFromTheOldestMessageThatTheBoxKnows) {
  chat::PastMessage first{said("3EB0000000000000OLD2", kNow - 200, text("Good morning")), {}};
  chat::PastMessage second{said("3EB0000000000000OLD1", kNow - 300, text("We are open")), {}};
  second.message.from_me = true;
  second.fate = chat::PastMessage::Fate::delivered;
  box.link.older_messages = std::vector<chat::PastMessage>{first, second};
  const auto answer = ask();
  ASSERT_EQ(answer->status(), 200) << answer->text();
  EXPECT_EQ(box.link.asked, (std::vector<std::string>{kIda, "3EB0000000000000KNO1", "theirs",
                                                      std::to_string(kNow - 100), "50"}));
  // As getChatHistory has them.
  const json::Value known = box.post("getChatHistory", kAsk)->json()[0];
  const json::Value items = answer->json();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].getMemberNames(), known.getMemberNames());
  EXPECT_EQ(items[0]["textMessage"], "Good morning");
  EXPECT_EQ(items[0]["senderName"], "Ida");
  EXPECT_EQ(items[1]["type"], "outgoing");
  EXPECT_EQ(items[1]["statusMessage"], "delivered");
  EXPECT_EQ(items[1]["sendByApi"], false);
  EXPECT_EQ(box.post("getChatHistory", kAsk)->json().size(), 2U) << "nothing of it is kept";
}

TEST_F(PhoneHistoryTest, CountsFromWhatStandsInTheChatAtThePhoneToo) {
  box.recorder->on_event(said("3EB0000000000000REA1", kNow - 900, content::Reaction{"x"}));
  box.recorder->on_event(said("3EB0000000000000EDI1", kNow - 800,
                              content::Edit{"3EB0000000000000GONE", "another text", false}));
  Job failed;
  failed.id = "3EB0000000000000FAI1";
  failed.chat = kIda;
  failed.content.what = text("never sent");
  failed.accepted_at = Wall::from_unix(kNow - 700);
  box.recorder->on_job(failed);
  box.recorder->on_fate(failed, MessageStatus::failed, {});
  Job sent = failed;
  sent.id = "3EB0000000000000SEN1";
  sent.accepted_at = Wall::from_unix(kNow - 600);
  box.recorder->on_job(sent);
  box.recorder->on_fate(sent, MessageStatus::sent, Wall::from_unix(kNow - 590));
  EXPECT_EQ(ask(R"({"chatId":"4915550007777@c.us","count":7})")->text(), "[]");
  EXPECT_EQ(box.link.asked, (std::vector<std::string>{kIda, "3EB0000000000000SEN1", "ours",
                                                      std::to_string(kNow - 590), "7"}));
}

TEST_F(PhoneHistoryTest, IsRefusedInWords) {
  EXPECT_EQ(ask("{}")->message(), "Validation failed. Details: 'chatId' is required");
  for (const char* count : {"0", "51", "\"many\""}) {
    EXPECT_EQ(
        ask(std::string(R"({"chatId":"4915550007777@c.us","count":)") + count + "}")->status(), 400)
        << count;
  }
  const auto unknown = ask(R"({"chatId":"4915550009999@c.us"})");
  EXPECT_EQ(unknown->status(), 400);
  EXPECT_NE(unknown->message().find("knows no message of this chat"), std::string::npos);
  EXPECT_TRUE(box.link.asked.empty()) << "nobody was asked";

  box.link.older_messages = fail(Errc::timeout, "the phone did not answer: is it on?");
  EXPECT_EQ(ask()->status(), 502);
  EXPECT_EQ(ask()->message(), "the phone did not answer: is it on?");
  box.link.older_messages = fail(Errc::busy, "the phone is being asked already");
  EXPECT_EQ(ask()->status(), 429);
  EXPECT_EQ(ask()->message(), "the phone is being asked already");

  box.link.who = {};
  box.set_session(session::State::pairing);
  EXPECT_EQ(ask()->message(), "instance account not authorized");
  Box without(0);
  EXPECT_EQ(without.post("requestChatHistory", kAsk)->status(), 400) << "it keeps no journal";
}

TEST_F(PhoneHistoryTest, ThePercentOfWhatItTellsByItselfIsInTheAccount) {
  box.link.history_percent = 40;
  EXPECT_EQ(box.get("getWaSettings")->json()["historySyncProgress"], 40);
  EXPECT_EQ(box.get("getAccountSettings")->json()["historySyncProgress"], 40);
  box.link.who = {};
  box.set_session(session::State::pairing);
  EXPECT_EQ(box.get("getWaSettings")->json()["historySyncProgress"], 0) << "nobody is linked";
}

}  // namespace
}  // namespace posthorn::api::test
