#include <gtest/gtest.h>

#include "box.h"

namespace posthorn::api::test {
namespace {

const std::string kBody = R"({"chatId":"4915550007777@c.us","message":"Order 118 is ready"})";

std::string with(const std::string& field, const std::string& json_value) {
  return R"({"chatId":"4915550007777@c.us","message":"x",")" + field + "\":" + json_value + "}";
}

TEST(SendMessage, AnswersTheIdThatTheMessageWillHave) {
  Box box;
  const auto answer = box.post(
      "sendMessage",
      R"({"chatId":"4915550007777@c.us","message":"Order 118 is ready","quotedMessageId":"3EB0A1B2C3D4E5F60718","linkPreview":false,"urgent":true,"consent":"order"})");
  ASSERT_EQ(answer->status(), 200);
  ASSERT_EQ(box.outbox.views.size(), 1U);
  const Job& job = box.outbox.views[0].job;
  EXPECT_EQ(answer->text(), "{\"idMessage\":\"" + job.id + "\"}");
  EXPECT_EQ(job.id.size(), 22U);
  EXPECT_TRUE(job.id.starts_with("3EB0"));
  EXPECT_EQ(job.chat, "4915550007777@c.us");
  EXPECT_EQ(readable_text(job.content), "Order 118 is ready");
  EXPECT_EQ(job.content.quote->id, "3EB0A1B2C3D4E5F60718");
  EXPECT_FALSE(std::get<content::Text>(job.content.what).link_preview);
  EXPECT_TRUE(job.urgent);
  EXPECT_EQ(job.consent, "order");
  EXPECT_EQ(job.accepted_at, box.clock.now());
  EXPECT_EQ(job.expires_at, box.clock.now() + hours(24));
}

TEST(SendMessage, IsAcceptedWhileNothingIsLinked) {
  Box box;
  box.link.who = {};
  box.set_session(session::State::pairing);
  EXPECT_EQ(box.post("sendMessage", kBody)->status(), 200);
}

TEST(SendMessage, AnswersOnlyWhenTheJobIsOnDisk) {
  Box box;
  box.outbox.hold_answers = true;
  const auto answer = box.post("sendMessage", kBody);
  EXPECT_EQ(answer->status(), 0);
  box.outbox.release();
  EXPECT_EQ(answer->status(), 200);
}

TEST(SendMessage, AnswersTheEarlierIdOfAMessagePostedTwice) {
  Box box;
  box.outbox.posted_before = "3EB0C0FFEE0123456789AB";
  EXPECT_EQ(box.post("sendMessage", kBody)->text(), R"({"idMessage":"3EB0C0FFEE0123456789AB"})");
}

TEST(SendMessage, BringsChatIdsIntoOneForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("chatId":"4915550007777@c.us")", "4915550007777@c.us"},
      {R"("chatId":" 4915550007777 @c.us ")", "4915550007777@c.us"},
      {R"("chatId":"4915550007777@s.whatsapp.net")", "4915550007777@c.us"},
      {R"("chatId":"4915550007777")", "4915550007777@c.us"},
      {R"("chatId":"+4915550007777")", "4915550007777@c.us"},
      {R"("chatId":"49 (0)155 5000-7777")", "4915550007777@c.us"},
      {R"("chatId":"004915550007777@C.US")", "4915550007777@c.us"},
      {"\"chatId\":\"\u202A+49\u00A0155 5000 7777\u202C\"", "4915550007777@c.us"},
      {R"("chatId":"\u2068+49 155 50007777\u2069@c.us")", "4915550007777@c.us"},
      {R"("chatId":"8 (900) 123-45-67")", "79001234567@c.us"},
      {R"("chatId":"182000000000001@lid")", "182000000000001@lid"},
      {R"("phoneNumber":4915550007777)", "4915550007777@c.us"},
      {R"("phoneNumber":"4915550007777")", "4915550007777@c.us"},
      {R"("phoneNumber":"0049 155 50007777")", "4915550007777@c.us"},
  };
  for (const auto& [field, chat] : cases) {
    Box box;
    EXPECT_EQ(box.post("sendMessage", "{" + field + R"(,"message":"x"})")->status(), 200) << field;
    ASSERT_EQ(box.outbox.views.size(), 1U) << field;
    EXPECT_EQ(box.outbox.views[0].job.chat, chat);
  }
}

TEST(SendMessage, RefusesOtherChatIds) {
  for (const char* chat :
       {"abc@c.us", "@c.us", "4915550007777@", "120363000000000001@newsletter", "status@broadcast",
        "49 1@g.us", "-@g.us", "4915550007777@c.us@c.us", "01820000000001@lid"}) {
    Box box;
    EXPECT_EQ(box.post("sendMessage", R"({"message":"x","chatId":")" + std::string(chat) + "\"}")
                  ->message(),
              "Validation failed. Details: 'chatId' must be one of the next formats: "
              "'phone_number@c.us' or 'group_id@g.us'")
        << chat;
    EXPECT_TRUE(box.outbox.views.empty());
  }
}

TEST(SendMessage, RefusesNumbersThatNobodyHasWithASentence) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0155500012345", "begins with 0"},
      {"0155500012345@c.us", "begins with 0"},
      {"+0155500012345", "begins with 0"},
      {"0000155500012345", "begins with 0"},
      {"1234@c.us", "this one has 4"},
      {"123456789012345678901@c.us", "this one has 21"},
      {"120363000000000001", "this one has 18"},
      {"4915550007777 x12", "digits, blanks"},
      {"49155500:17@s.whatsapp.net", "digits, blanks"},
  };
  for (const auto& [chat, why] : cases) {
    Box box;
    const auto answer = box.post("sendMessage", R"({"message":"x","chatId":")" + chat + "\"}");
    EXPECT_EQ(answer->status(), 400) << chat;
    EXPECT_TRUE(answer->message().starts_with(
        "Validation failed. Details: 'chatId' must be one of the next formats: "))
        << answer->message();
    EXPECT_NE(answer->message().find(why), std::string::npos) << answer->message();
    EXPECT_TRUE(box.outbox.views.empty());
  }
}

TEST(SendMessage, TakesGroupsLikePeople) {
  for (const char* chat : {"120363000000000001@g.us", "4915550001234-1580000000@g.us"}) {
    Box box;
    const auto answer =
        box.post("sendMessage", R"({"message":"x","chatId":")" + std::string(chat) + "\"}");
    EXPECT_EQ(answer->status(), 200) << answer->text();
    ASSERT_EQ(box.outbox.views.size(), 1U);
    EXPECT_EQ(box.outbox.views[0].job.chat, chat);
  }
}

TEST(SendLink, IsAMessageWithTheLinkAsItsText) {
  Box box;
  const auto answer = box.post(
      "sendLink",
      R"({"chatId":"4915550007777@c.us","urlLink":"https://shop.example/118","quotedMessageId":"3EB0A1B2C3D4E5F60718"})");
  ASSERT_EQ(answer->status(), 200) << answer->text();
  ASSERT_EQ(box.outbox.views.size(), 1U);
  EXPECT_EQ(std::get<content::Text>(box.outbox.views[0].job.content.what).body,
            "https://shop.example/118");
  EXPECT_EQ(box.outbox.views[0].job.content.quote->id, "3EB0A1B2C3D4E5F60718");
  EXPECT_EQ(box.post("sendLink", R"({"chatId":"4915550007777@c.us"})")->message(),
            "Validation failed. Details: 'urlLink' is required");
  EXPECT_EQ(box.post("sendLink", R"({"chatId":"4915550007777@c.us","urlLink":"shop"})")->status(),
            400);
}

TEST(SendTyping, EndsByItselfAndHasOneForEachChat) {
  Box box;
  box.set_session(session::State::online);
  const auto answer =
      box.post("sendTyping",
               R"({"chatId":"4915550007777@c.us","typingTime":3000,"typingType":"recording"})");
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(answer->text(), "");
  using Typed = std::vector<std::string>;
  EXPECT_EQ(box.link.typed, Typed{"4915550007777@c.us recording"});
  box.scheduler.advance(seconds(2));
  box.post("sendTyping", R"({"chatId":"+49 155 50007777"})");
  box.scheduler.advance(seconds(4));
  EXPECT_EQ(box.link.typed, (Typed{"4915550007777@c.us recording", "4915550007777@c.us typing"}));
  box.scheduler.advance(seconds(2));
  EXPECT_EQ(box.link.typed.back(), "4915550007777@c.us end");
  EXPECT_EQ(box.link.typed.size(), 3U);
  const auto refusal = [&box](const std::string& field) {
    return box.post("sendTyping", R"({"chatId":"4915550007777@c.us",)" + field + "}")->message();
  };
  EXPECT_EQ(refusal(R"("typingTime":999)"),
            "Validation failed. Details: 'typingTime' must be larger than or equal to 1000");
  EXPECT_EQ(refusal(R"("typingType":"singing")"),
            "Validation failed. Details: 'typingType' must be one of [typing, recording]");
  EXPECT_EQ(box.post("sendTyping", R"({"chatId":"120363000000000001@g.us"})")->status(), 200);
  box.link.who = {};
  box.set_session(session::State::pairing);
  EXPECT_EQ(box.post("sendTyping", R"({"chatId":"4915550007777@c.us"})")->message(),
            "instance account not authorized");
}

TEST(SendTyping, TouchesNobodyAfterTheApiHasGone) {
  Box box;
  box.set_session(session::State::online);
  box.outbox.hold_answers = true;
  const auto open = box.post("sendMessage", kBody);  // keeps what the handlers share
  box.post("sendTyping", R"({"chatId":"4915550007777@c.us","typingTime":1000})");
  box.api.reset();
  box.scheduler.advance(seconds(2));
  EXPECT_EQ(box.link.typed, std::vector<std::string>{"4915550007777@c.us typing"});
  box.outbox.release();
}

TEST(SendTyping, IsShownInABoundedNumberOfChats) {
  Box box;
  box.set_session(session::State::online);
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(box.post("sendTyping", R"({"chatId":"49155500077)" + std::to_string(10 + i) +
                                         R"(@c.us","typingTime":20000})")
                  ->status(),
              200);
  }
  EXPECT_EQ(box.post("sendTyping", R"({"chatId":"4915550009999@c.us"})")->status(), 429);
  EXPECT_EQ(box.post("sendTyping", R"({"chatId":"4915550007710@c.us"})")->status(), 200);
  box.scheduler.advance(seconds(20));
  EXPECT_EQ(box.post("sendTyping", R"({"chatId":"4915550009999@c.us"})")->status(), 200);
}

TEST(DeadMethods, AreRefusedInWords) {
  Box box;
  const std::string body = R"({"chatId":"4915550007777@c.us","message":"Coffee?","buttons":[]})";
  for (const char* method : {"sendButtons", "SendTemplateButtons", "sendListMessage"}) {
    EXPECT_EQ(box.post(method, body)->status(), 403) << method;
    EXPECT_NE(box.post(method, body)->message().find("sendMessage"), std::string::npos) << method;
  }
  EXPECT_EQ(box.post("startAuthorization", "{}")->status(), 403);
  EXPECT_EQ(box.post("checkAccount", "{}")->status(), 403);
  for (const Verb verb : {Verb::get, Verb::post}) {
    const auto answer = box.send(Box::request(verb, "/partner/getInstances/gac.token"));
    EXPECT_EQ(answer->status(), 403);
    EXPECT_NE(answer->message().find("one instance in one shop"), std::string::npos);
  }
  EXPECT_TRUE(box.outbox.views.empty());
}

TEST(SendMessage, SaysWhatIsWrongInTheCloudsWords) {
  const std::string chat = R"("chatId":"4915550007777@c.us")";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"message":"x"})", "'chatId' is required"},
      {"", "'chatId' is required"},
      {R"({"chatId":null,"message":"x"})", "'chatId' is required"},
      {R"({"chatId":"","message":"x"})", "'chatId' is not allowed to be empty"},
      {R"({"chatId":7,"message":"x"})", "'chatId' must be a string"},
      {"{" + chat + "}", "'message' is required"},
      {"{" + chat + R"(,"message":""})", "'message' is not allowed to be empty"},
      {"{" + chat + R"(,"message":5})", "'message' must be a string"},
      {"{" + chat + R"(,"message":["x"]})", "'message' must be a string"},
      {with("quotedMessageId", "\"3EB0\""), "'message id' must be at least 16 symbols"},
      {with("quotedMessageId", "{}"), "'quotedMessageId' must be a string"},
      {with("linkPreview", "3"), "'linkPreview' must be a boolean"},
      {with("typingTime", "999"), "'typingTime' must be larger than or equal to 1000"},
      {with("typingTime", "20001"), "'typingTime' must be less than or equal to 20000"},
      {with("typingTime", "\"long\""), "'typingTime' must be a number"},
      {with("consent", "\"bought\""), "'consent' must be one of [order, form, spoken]"},
  };
  for (const auto& [body, text] : cases) {
    Box box;
    const auto answer = box.post("sendMessage", body);
    EXPECT_EQ(answer->status(), 400) << body;
    EXPECT_EQ(answer->message(), "Validation failed. Details: " + text) << body;
  }
}

TEST(SendMessage, ShowsTypingAsLongAsTheCallOrTheAccountSays) {
  Box box;
  box.post("sendMessage", with("typingTime", "1000"));
  box.post("sendMessage", with("typingTime", "\"20000\""));
  box.post("sendMessage", kBody);
  ASSERT_EQ(box.post("setSettings", R"({"autoTyping":3})")->status(), 200);
  box.post("sendMessage", kBody);
  box.post("sendMessage", with("typingTime", "0"));
  std::vector<std::int64_t> typing;
  for (const JobView& view : box.outbox.views) typing.push_back(view.job.typing.count());
  EXPECT_EQ(typing, (std::vector<std::int64_t>{1000, 20'000, 0, 3000, 0}));
}

TEST(SendMessage, CountsCharactersNotBytes) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "\xF0\x9F\x8D\x9E";
  Box box;
  EXPECT_EQ(box.post("sendMessage", R"({"chatId":"4915550007777@c.us","message":")" + text + "\"}")
                ->status(),
            200);
  EXPECT_EQ(readable_text(box.outbox.views[0].job.content), text);
  EXPECT_EQ(box.post("sendMessage", R"({"chatId":"4915550007777@c.us","message":")" + text + "a\"}")
                ->message(),
            "Validation failed. Details: 'message' length must be less than or equal to 20000 "
            "characters long");
}

TEST(SendMessage, NeverQueuesTextThatIsNoUtf8) {
  Box box;
  box.post("sendMessage", R"({"chatId":"4915550007777@c.us","message":"a\udc00b"})");
  ASSERT_EQ(box.outbox.views.size(), 1U);
  EXPECT_EQ(readable_text(box.outbox.views[0].job.content),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(SendMessage, IgnoresLegacyAndUnknownFieldsUnlessStrict) {
  Box box;
  EXPECT_EQ(box.post("sendMessage", with("archiveChat", "true"))->status(), 200);
  EXPECT_EQ(box.post("sendMessage", with("whatIsThis", "true"))->status(), 200);
  box.configure(R"({"strictValidation":"yes"})");
  EXPECT_EQ(box.post("sendMessage", with("archiveChat", "true"))->status(), 200);
  EXPECT_EQ(box.post("sendMessage", with("whatIsThis", "true"))->message(),
            "Validation failed. Details: 'whatIsThis' is not allowed");
}

TEST(SendMessage, AnswersTheQuotaFormWhenTheQueueIsFull) {
  Box box;
  box.outbox.failure = Error{Errc::full, "outbox full"};
  const auto answer = box.post("sendMessage", kBody);
  EXPECT_EQ(answer->status(), 466);
  const json::Value body = answer->json();
  EXPECT_EQ(body["invokeStatus"]["method"].asString(), "sendMessage");
  EXPECT_EQ(body["invokeStatus"]["status"].asString(), "QUOTE_EXCEEDED");
  EXPECT_TRUE(body["correspondentsStatus"].isObject());
  box.outbox.failure = Error{Errc::io, "disk"};
  EXPECT_EQ(box.post("sendMessage", kBody)->status(), 500);
}

std::shared_ptr<Answer> send_with_key(Box& box, const std::string& key,
                                      const std::string& body = kBody) {
  Request request = Box::request(Verb::post, Box::path("sendMessage"), body);
  request.idempotency_key = key;
  const auto answer = box.send(std::move(request));
  box.scheduler.run_posted();
  return answer;
}

TEST(IdempotencyKey, MakesARepeatedPostANoOp) {
  Box box;
  const auto first = send_with_key(box, "receipt-118");
  const auto again = send_with_key(box, "receipt-118");
  const auto other = send_with_key(box, "receipt-119");
  EXPECT_EQ(first->status(), 200);
  EXPECT_EQ(again->text(), first->text());
  EXPECT_NE(other->text(), first->text());
  EXPECT_EQ(box.outbox.count(), 2U);
  EXPECT_EQ(box.outbox.views[0].job.idempotency_key, "receipt-118");
}

TEST(IdempotencyKey, HoldsAfterTheJobHasLeftAndTheBoxHasRestarted) {
  Box box;
  const auto first = send_with_key(box, "receipt-118");
  box.outbox.views.clear();
  Box restarted;
  restarted.blobs.values = box.blobs.values;
  restarted.restart();
  EXPECT_EQ(send_with_key(restarted, "receipt-118")->text(), first->text());
  EXPECT_EQ(restarted.outbox.count(), 0U);
}

TEST(IdempotencyKey, IsFoundInTheJobWhenPowerWentBeforeTheKeyWasStored) {
  Box box;
  const auto first = send_with_key(box, "receipt-118");
  Box restarted;
  restarted.outbox.views = box.outbox.views;
  restarted.restart();
  EXPECT_EQ(send_with_key(restarted, "receipt-118")->text(), first->text());
  EXPECT_EQ(restarted.outbox.count(), 1U);
}

TEST(IdempotencyKey, ForgetsWithTheLifeOfTheJob) {
  Box box;
  const auto first = send_with_key(box, "receipt-118");
  box.scheduler.advance(hours(24) - minutes(1));
  EXPECT_EQ(send_with_key(box, "receipt-118")->text(), first->text());
  box.scheduler.advance(minutes(2));
  EXPECT_NE(send_with_key(box, "receipt-118")->text(), first->text());
  EXPECT_EQ(box.outbox.count(), 2U);
}

TEST(IdempotencyKey, TellsThatItWasUsedForSomethingElse) {
  Box box;
  const auto first = send_with_key(box, "order-118");
  const std::string other_text = R"({"chatId":"4915550007777@c.us","message":"Order 118: ready"})";
  const std::string other_person = R"({"chatId":"4915550008888@c.us","message":"Order 118"})";
  for (const std::string& body : {other_text, other_person}) {
    const auto refused = send_with_key(box, "order-118", body);
    EXPECT_EQ(refused->status(), 422);
    EXPECT_NE(refused->message().find("Idempotency-Key"), std::string::npos);
  }
  EXPECT_EQ(box.outbox.count(), 1U);
  EXPECT_EQ(send_with_key(box, "order-118")->text(), first->text());
}

TEST(IdempotencyKey, LooksAtWhatIsSaidAndNotAtHowItIsWritten) {
  Box box;
  const auto first =
      send_with_key(box, "k", R"({"chatId":"4915550007777@c.us","message":"caf\u00e9"})");
  const auto again = send_with_key(
      box, "k", "{ \"message\" : \"caf\xC3\xA9\",\n \"chatId\": \"4915550007777@c.us\" }");
  EXPECT_EQ(again->text(), first->text());
}

TEST(IdempotencyKey, KnowsItsBodyAfterARestartFromKeysAndFromJobs) {
  Box box;
  (void)send_with_key(box, "k");
  const std::string other = R"({"chatId":"4915550007777@c.us","message":"something else"})";
  Box from_keys;
  from_keys.blobs.values = box.blobs.values;
  from_keys.restart();
  EXPECT_EQ(send_with_key(from_keys, "k", other)->status(), 422);
  Box from_jobs;
  from_jobs.outbox.views = box.outbox.views;
  from_jobs.restart();
  EXPECT_EQ(send_with_key(from_jobs, "k", other)->status(), 422);
}

TEST(IdempotencyKey, DoesNotCareWhatTheClockIsSetTo) {
  Box box;
  const auto first = send_with_key(box, "k");
  box.clock.on_server_time(1'767'225'600 + std::int64_t{20} * 365 * 86'400);
  EXPECT_EQ(send_with_key(box, "k")->text(), first->text());
  Box restarted;
  restarted.blobs.values = box.blobs.values;
  restarted.restart();
  restarted.clock.on_server_time(1'767'225'600 + std::int64_t{30} * 365 * 86'400);
  EXPECT_EQ(send_with_key(restarted, "k")->text(), first->text());
  restarted.scheduler.advance(hours(24));
  EXPECT_NE(send_with_key(restarted, "k")->text(), first->text()) << "a day of running ends it";
}

TEST(IdempotencyKey, TakesWhatTheReleaseBeforeKept) {
  Box box;
  const auto first = send_with_key(box, "k");
  for (auto& [name, blob] : box.blobs.values) {
    if (!name.starts_with("idempotency/")) continue;
    json::Value rows = *json::parse(as_text(blob));
    for (json::Value& row : rows) {
      row.removeMember("body");
      row.removeMember("ran");
    }
    blob = to_bytes(json::write(rows));
  }
  Box upgraded;
  upgraded.blobs.values = box.blobs.values;
  upgraded.restart();
  EXPECT_EQ(send_with_key(upgraded, "k")->text(), first->text());
}

TEST(IdempotencyKey, GivesParallelPostsOneMessage) {
  Box box;
  box.outbox.hold_answers = true;
  const auto first = send_with_key(box, "k");
  const auto second = send_with_key(box, "k");
  EXPECT_EQ(first->status() + second->status(), 0);
  box.outbox.release();
  box.scheduler.run_posted();
  EXPECT_EQ(first->status(), 200);
  EXPECT_EQ(second->text(), first->text());
  EXPECT_EQ(box.outbox.count(), 1U);
}

TEST(IdempotencyKey, IsFreeAgainAfterARefusal) {
  Box box;
  box.outbox.failure = Error{Errc::full, "outbox full"};
  EXPECT_EQ(send_with_key(box, "k")->status(), 466);
  box.outbox.failure.reset();
  EXPECT_EQ(send_with_key(box, "k")->status(), 200);
  EXPECT_EQ(send_with_key(box, std::string(256, 'k'))->status(), 400);
}

TEST(IdempotencyKey, SurvivesDamagedBlobsAndAnUnreadableQueue) {
  Box box;
  box.outbox.unreadable = Error{Errc::io, "disk"};
  for (int i = 0; i < 64; ++i) {
    box.blobs.values["idempotency/" + std::to_string(i)] = to_bytes("[{\"key\":3},7,nonsense");
  }
  box.restart();
  EXPECT_EQ(send_with_key(box, "k")->status(), 200);
}

TEST(IdempotencyKey, AnswersWhoeverWaitsWhenTheApiGoes) {
  Box box;
  box.outbox.hold_answers = true;
  const auto keyed = send_with_key(box, "k");
  box.api.reset();
  EXPECT_EQ(keyed->status(), 502);
  box.outbox.release();
}

TEST(IdempotencyKey, IsFoundWhenTheJobLeftBetweenTheStartAndTheRepeat) {
  Box box;
  const auto first = send_with_key(box, "receipt-118");
  Box restarted;
  restarted.outbox.views = box.outbox.views;
  restarted.restart();
  restarted.outbox.views.clear();
  EXPECT_EQ(send_with_key(restarted, "receipt-118")->text(), first->text());
  EXPECT_EQ(restarted.outbox.count(), 0U);
  restarted.restart();
  EXPECT_EQ(send_with_key(restarted, "receipt-118")->text(), first->text()) << "it was kept";
  EXPECT_EQ(restarted.outbox.count(), 0U);
}

TEST(IdempotencyKey, LivesNoLongerForRestartsWhileItsJobWaits) {
  Box box;
  const auto first = send_with_key(box, "k");
  box.scheduler.advance(hours(20));
  (void)send_with_key(box, "another");  // notes how long the box has run
  box.restart();
  box.scheduler.advance(hours(5));
  EXPECT_NE(send_with_key(box, "k")->text(), first->text());
}

TEST(SendMessage, AnswersFromTheDiskMayOutliveTheApi) {
  Box box;
  box.outbox.hold_answers = true;
  const auto plain = box.post("sendMessage", kBody);
  box.api.reset();
  box.outbox.release();
  EXPECT_EQ(plain->status(), 200);
}

TEST(TypingType, IsTakenWhereverTypingTimeIs) {
  Box box(0);
  box.keep_files();
  box.cabinet->web["https://shop.example/a.pdf"] = "%PDF-1.7";
  const std::string typing = R"("chatId":"4915550007777@c.us","typingTime":2000,"typingType":)";
  const std::pair<const char*, const char*> methods[] = {
      {"sendMessage", R"("message":"Ready")"},
      {"sendLocation", R"("latitude":52.5,"longitude":13.4)"},
      {"sendFileByUrl", R"("urlFile":"https://shop.example/a.pdf","fileName":"a.pdf")"}};
  box.configure(R"({"strictValidation":true})");
  for (const auto& [method, fields] : methods) {
    box.outbox.views.clear();
    const auto with = [&, method = method, fields = fields](const std::string& type) {
      return box.post(method, "{" + typing + type + "," + fields + "}");
    };
    ASSERT_EQ(with("\"recording\"")->status(), 200) << with("\"recording\"")->text();
    EXPECT_EQ(box.outbox.views.back().job.typing_type, Typing::recording) << method;
    EXPECT_EQ(box.outbox.views.back().job.typing, seconds(2));
    ASSERT_EQ(with("\"typing\"")->status(), 200);
    EXPECT_EQ(box.outbox.views.back().job.typing_type, Typing::text) << method;
    EXPECT_EQ(with("\"dancing\"")->message(),
              "Validation failed. Details: 'typingType' must be one of [typing, recording]")
        << method;
  }
}

TEST(ShowMessagesQueue, ShowsAnUploadAsTheLinkThatServesIt) {
  Box box(0);
  box.keep_files();
  const auto answer = box.post_form(
      "sendFileByUpload",
      "--X\r\nContent-Disposition: form-data; name=\"chatId\"\r\n\r\n4915550007777@c.us\r\n"
      "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"bill.pdf\"\r\n\r\n%PDF-1.7"
      "\r\n--X--\r\n",
      "X");
  ASSERT_EQ(answer->status(), 200) << answer->text();
  const json::Value item = box.get("showMessagesQueue")->json()[0];
  EXPECT_EQ(item["type"], "sendFileByUrl");
  EXPECT_EQ(item["body"]["urlFile"], answer->json()["urlFile"]) << json::write(item);
  EXPECT_EQ(item["body"]["fileName"], "bill.pdf");
  EXPECT_FALSE(item["body"].isMember("file")) << json::write(item);
}

TEST(QuotaExceeded, IsToldOnceAnHourWhenTheQueueIsFullAndSomebodyAskedForIt) {
  Box box(0);
  box.outbox.most = 0;
  const auto post = [&] {
    return box.post("sendMessage", R"({"chatId":"4915550007777@c.us","message":"x"})")->status();
  };
  EXPECT_EQ(post(), 466);
  EXPECT_TRUE(box.told.empty());
  box.configure(R"({"quotaWebhook":"yes"})");
  box.scheduler.advance(hours(2));
  EXPECT_EQ(post(), 466);
  EXPECT_EQ(post(), 466);
  ASSERT_EQ(box.told.size(), 1U);
  EXPECT_EQ(box.told[0]["typeWebhook"], "quotaExceeded");
  EXPECT_EQ(box.told[0]["quotaData"]["method"], "sendMessage");
  box.scheduler.advance(hours(1));
  EXPECT_EQ(post(), 466);
  EXPECT_EQ(box.told.size(), 2U);
}

}  // namespace
}  // namespace posthorn::api::test
