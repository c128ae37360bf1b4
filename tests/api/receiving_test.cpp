#include <gtest/gtest.h>

#include "box.h"

namespace posthorn::api::test {
namespace {

std::shared_ptr<Answer> poll(Box& box, const std::string& timeout) {
  Request request = Box::request(Verb::get, Box::path("receiveNotification"));
  request.query.emplace_back("receiveTimeout", timeout);
  return box.send(std::move(request));
}

TEST(ReceiveNotification, ShowsTheOldestUntilItIsDeleted) {
  Box box;
  box.inbox.waiting = {{7, R"({"typeWebhook":"a"})"}, {8, R"({"typeWebhook":"b"})"}};
  const std::string first = R"({"receiptId":7,"body":{"typeWebhook":"a"}})";
  EXPECT_EQ(box.get("receiveNotification")->text(), first);
  EXPECT_EQ(box.get("receiveNotification")->text(), first);
  EXPECT_EQ(box.call(Verb::del, "deleteNotification", "", "/7")->text(), R"({"result":true})");
  EXPECT_EQ(box.get("receiveNotification")->text(),
            R"({"receiptId":8,"body":{"typeWebhook":"b"}})");
}

TEST(ReceiveNotification, AnswersNullAfterTheTimeoutAskedFor) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"5", 5},  {"2", 2},    {"60", 60},         {"", 5}, {"x", 5}, {"0", 1},
      {"-3", 1}, {"900", 60}, {"99999999999", 60}};
  for (const auto& [asked, waits] : cases) {
    Box box;
    const auto answer = poll(box, asked);
    box.scheduler.advance(seconds(waits) - milliseconds(1));
    EXPECT_EQ(answer->status(), 0) << asked;
    box.scheduler.advance(milliseconds(1));
    EXPECT_EQ(answer->status(), 200) << asked;
    EXPECT_EQ(answer->text(), "null") << asked;
  }
}

TEST(ReceiveNotification, IgnoresANamelessQuery) {
  Box box;
  Request request = Box::request(Verb::get, Box::path("receiveNotification"));
  request.query.emplace_back("60", "");
  const auto answer = box.send(std::move(request));
  box.scheduler.advance(seconds(5));
  EXPECT_EQ(answer->text(), "null");
}

TEST(ReceiveNotification, WakesEverybodyWhoWaits) {
  Box box;
  const auto one = poll(box, "60");
  const auto two = poll(box, "10");
  box.scheduler.advance(seconds(3));
  box.inbox.waiting = {{1, "{}"}};
  box.api->on_notification();
  EXPECT_EQ(one->text(), R"({"receiptId":1,"body":{}})");
  EXPECT_EQ(two->text(), one->text());
  box.scheduler.advance(seconds(120));
}

TEST(ReceiveNotification, IsRefusedWhileAWebhookIsSet) {
  Box box;
  const auto waiting = poll(box, "60");
  box.configure(R"({"webhookUrl":"http://till.lan/hook"})");
  EXPECT_EQ(waiting->text(), "null");
  box.inbox.waiting = {{1, "{}"}};
  const auto refused = box.get("receiveNotification");
  EXPECT_EQ(refused->status(), 400);
  EXPECT_NE(refused->message().find("webhookUrl"), std::string::npos);
  box.configure(R"({"webhookUrl":""})");
  EXPECT_EQ(box.get("receiveNotification")->status(), 200);
}

TEST(ReceiveNotification, AnswersWhoWaitsWhenTheBoxStops) {
  Box box;
  const auto waiting = poll(box, "60");
  box.api->stop();
  EXPECT_EQ(waiting->text(), "null");
}

TEST(DeleteNotification, TakesTheIdFromPathOrBody) {
  Box box;
  box.inbox.waiting = {{7, "{}"}, {8, "{}"}, {9, "{}"}};
  EXPECT_EQ(box.call(Verb::del, "deleteNotification", "8", "/8/")->text(), R"({"result":true})");
  EXPECT_EQ(box.call(Verb::del, "deleteNotification", "7")->text(), R"({"result":true})");
  EXPECT_EQ(box.call(Verb::del, "deleteNotification", "", "/7")->text(),
            R"({"reason":"","result":false})");
  EXPECT_EQ(box.inbox.waiting.size(), 1U);
}

TEST(DeleteNotification, RefusesWhatIsNoNumber) {
  for (const char* id : {"/abc", "/7x", "/-1", "/99999999999", "", "/1.5"}) {
    Box box;
    const auto answer = box.call(Verb::del, "deleteNotification", "", id);
    EXPECT_EQ(answer->status(), 400) << id;
    EXPECT_EQ(answer->message(), "Parameter receiptId must be a Number") << id;
  }
}

TEST(Queues, ShowJobsAsTheyWerePostedWithWhatHoldsThem) {
  Box box;
  EXPECT_EQ(box.get("showMessagesQueue")->text(), "[]");
  box.post("sendMessage", R"({"chatId":"4915550007777@c.us","message":"one"})");
  box.post(
      "sendMessage",
      R"({"chatId":"4915550007777@c.us","message":"two","quotedMessageId":"3EB0A1B2C3D4E5F60718","linkPreview":false})");
  box.outbox.views[1].lane = "first";
  box.outbox.views[1].hold_reason = "opening_cap";
  box.outbox.views[1].not_before = Wall::from_unix(1'767'229'200);
  const json::Value queue = box.get("showMessagesQueue")->json();
  ASSERT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue[0]["messageID"].asString(), box.outbox.views[0].job.id);
  EXPECT_EQ(queue[0]["type"].asString(), "sendMessage");
  EXPECT_EQ(queue[0]["body"], *json::parse(R"({"chatId":"4915550007777@c.us","message":"one"})"));
  EXPECT_FALSE(queue[0].isMember("holdReason"));
  EXPECT_EQ(queue[1]["body"]["quotedMessageId"].asString(), "3EB0A1B2C3D4E5F60718");
  EXPECT_EQ(queue[1]["body"]["linkPreview"], json::Value(false));
  EXPECT_EQ(queue[1]["lane"].asString(), "first");
  EXPECT_EQ(queue[1]["holdReason"].asString(), "opening_cap");
  EXPECT_EQ(queue[1]["notBefore"].asInt64(), 1'767'229'200);
  EXPECT_EQ(queue[1]["expiresAt"].asInt64(), box.clock.now().unix_seconds() + 86'400);
}

TEST(Queues, ShowTheBodyAsItWasSent) {
  for (const std::string body :
       {R"({"chatId":"+49 1555 0007777","message":"one","typingTime":2000,"urgent":true})",
        R"({"phoneNumber":4915550007777,"message":"one","linkPreview":true})",
        R"({"chatId":"4915550007777@s.whatsapp.net","message":"one","ours":{"a":[1]}})",
        R"({"chatId":"4915550007777@c.us","message":"one"})"}) {
    Box box;
    ASSERT_EQ(box.post("sendMessage", body)->status(), 200) << body;
    // As it comes back from the disk.
    box.outbox.views[0].job = *decode_job(encode_job(box.outbox.views[0].job));
    EXPECT_EQ(box.get("showMessagesQueue")->json()[0]["body"], *json::parse(body));
  }
  Box box;
  box.post("sendMessage", R"({"chatId":"4915550007777@c.us","message":"one","junk":")" +
                              std::string(200'000, 'x') + "\"}");
  EXPECT_LT(encode_job(box.outbox.views[0].job).size(), 1000U) << "a job fits the queue";
}

TEST(Queues, AreCountedAndCleared) {
  Box box;
  box.post("sendMessage", R"({"chatId":"4915550007777@c.us","message":"one"})");
  box.inbox.waiting = {{1, "{}"}, {2, "{}"}};
  EXPECT_EQ(box.get("getMessagesCount")->text(), R"({"count":1})");
  EXPECT_EQ(box.get("getWebhooksCount")->text(), R"({"count":2})");
  EXPECT_EQ(box.get("clearMessagesQueue")->text(), R"({"isCleared":true})");
  EXPECT_EQ(box.get("getMessagesCount")->text(), R"({"count":0})");
}

TEST(Queues, LetNotificationsBeClearedOnceAMinute) {
  Box box;
  box.inbox.waiting = {{1, "{}"}};
  EXPECT_EQ(box.call(Verb::del, "clearWebhooksQueue")->text(), R"({"isCleared":true,"reason":""})");
  EXPECT_TRUE(box.inbox.waiting.empty());
  box.scheduler.advance(seconds(19));
  const auto again = box.call(Verb::del, "clearWebhooksQueue");
  EXPECT_EQ(again->status(), 200);
  EXPECT_EQ(again->json(),
            *json::parse(R"({"isCleared":false,"reason":"Too many requests","leftTime":41})"));
  box.scheduler.advance(seconds(41));
  EXPECT_TRUE(box.call(Verb::del, "clearWebhooksQueue")->json()["isCleared"].asBool());
}

TEST(ReadChat, MarksAChatOrOneMessage) {
  Box box;
  EXPECT_EQ(box.post("readChat", R"({"chatId":"4915550007777@c.us"})")->text(),
            R"({"setRead":true})");
  EXPECT_EQ(box.link.asked, (std::vector<std::string>{"4915550007777@c.us", ""}));
  box.post("readChat", R"({"chatId":"4915550007777@c.us","idMessage":"3EB0AA11BB22CC33DD44"})");
  EXPECT_EQ(box.link.asked[1], "3EB0AA11BB22CC33DD44");
  box.link.marked = std::size_t{0};
  EXPECT_EQ(box.post("readChat", R"({"chatId":"4915550007777@c.us"})")->text(),
            R"({"setRead":false})");
}

TEST(ReadChat, NeedsALiveSession) {
  Box box;
  const std::string body = R"({"chatId":"4915550007777@c.us"})";
  box.link.marked = fail(Errc::disconnected, "offline");
  EXPECT_EQ(box.post("readChat", body)->status(), 502);
  box.set_session(session::State::backing_off);
  box.scheduler.advance(minutes(2));
  EXPECT_EQ(box.post("readChat", body)->message(), "instance in starting process try later");
  box.set_session(session::State::logged_out);
  const auto refused = box.post("readChat", body);
  EXPECT_EQ(refused->status(), 400);
  EXPECT_EQ(refused->message(), "instance account not authorized");
}

TEST(CheckWhatsapp, AsksOnceAndRemembersWhoExists) {
  Box box;
  box.link.numbers = std::vector<chat::NumberStatus>{{"4915550007777", true, "4915550007777@c.us"}};
  const std::string body = R"({"phoneNumber":4915550007777})";
  EXPECT_EQ(
      box.post("checkWhatsapp", body)->json(),
      *json::parse(R"({"existsWhatsapp":true,"chatId":"4915550007777@c.us","fromCache":false})"));
  EXPECT_EQ(box.post("checkWhatsapp", R"({"chatId":"4915550007777@c.us"})")->json()["fromCache"],
            json::Value(true));
  EXPECT_EQ(box.link.checks, 1);
  EXPECT_EQ(box.link.asked, std::vector<std::string>{"4915550007777"});
  box.post("checkWhatsapp", R"({"phoneNumber":"4915550007777","force":true})");
  EXPECT_EQ(box.link.checks, 2);
  box.scheduler.advance(hours(25));
  box.post("checkWhatsapp", body);
  EXPECT_EQ(box.link.checks, 3);
}

TEST(CheckWhatsapp, ReportsWhoDoesNotExistWithoutRememberingIt) {
  Box box;
  box.link.numbers = std::vector<chat::NumberStatus>{{"4915550007777", false, ""}};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(box.post("checkWhatsapp", R"({"phoneNumber":4915550007777})")->json(),
              *json::parse(R"({"existsWhatsapp":false,"chatId":"","fromCache":false})"));
  }
  EXPECT_EQ(box.link.checks, 2);
}

TEST(CheckWhatsapp, AnswersErrorsInTheDocumentedForms) {
  Box box;
  for (const char* number : {"12ab", "0155500012345", "1234"}) {
    const std::string message =
        box.post("checkWhatsapp", R"({"phoneNumber":")" + std::string(number) + "\"}")->message();
    EXPECT_TRUE(message.starts_with("bad phone number, valid 11 or 12 digits: a phone number "))
        << message;
  }
  EXPECT_EQ(box.post("checkWhatsapp", R"({"phoneNumber":"unknown"})")->message(),
            "bad phone number, valid 11 or 12 digits");
  EXPECT_EQ(box.post("checkWhatsapp", R"({"chatId":"120363000000000001@g.us"})")->message(),
            "bad phone number, valid 11 or 12 digits");
  EXPECT_EQ(box.post("checkWhatsapp", "{}")->message(),
            "Validation failed. Details: 'phoneNumber' is required");
  const std::string body = R"({"phoneNumber":4915550007777})";
  box.link.numbers = fail(Errc::timeout, "");
  EXPECT_EQ(box.post("checkWhatsapp", body)->message(),
            "check phone number timeout limit exceeded");
  box.link.numbers = fail(Errc::busy, "");
  EXPECT_EQ(box.post("checkWhatsapp", body)->status(), 469);
}

}  // namespace
}  // namespace posthorn::api::test
