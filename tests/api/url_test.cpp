#include <gtest/gtest.h>

#include "box.h"

namespace posthorn::api::test {
namespace {

TEST(ApiUrl, MatchesMethodsWithoutRegardToCase) {
  for (const char* method : {"getStateInstance", "GetStateInstance", "GETSTATEINSTANCE"}) {
    Box box;
    EXPECT_EQ(box.get(method)->text(), R"({"stateInstance":"authorized"})") << method;
  }
}

TEST(ApiUrl, ToleratesDoubleAndTrailingSlashes) {
  Box box;
  const std::string id = std::to_string(kId);
  for (const std::string& path : {"//waInstance" + id + "//getStateInstance/" + kToken,
                                  "/waInstance" + id + "/getStateInstance/" + kToken + "/",
                                  "///waInstance" + id + "/getStateInstance///" + kToken + "//"}) {
    EXPECT_EQ(box.send(Box::request(Verb::get, path))->status(), 200) << path;
  }
}

TEST(ApiUrl, SaysWhatIsWrongInTheCloudsForm) {
  Box box;
  const std::string path = "/waInstance9/getSettings/" + kToken;
  const auto answer = box.send(Box::request(Verb::get, path));
  EXPECT_EQ(answer->status(), 403);
  const json::Value body = answer->json();
  EXPECT_EQ(body["statusCode"].asInt(), 403);
  EXPECT_EQ(body["message"].asString(), "Forbidden");
  EXPECT_EQ(body["path"].asString(), path);
  EXPECT_EQ(body["timestamp"].asString(), to_iso8601(box.clock.now()));
}

TEST(ApiUrl, TellsWrongUrlsApart) {
  Box box;
  const std::string id = std::to_string(kId);
  const auto status = [&](Verb verb, const std::string& path) {
    return box.send(Box::request(verb, path))->status();
  };
  EXPECT_EQ(status(Verb::get, "/waInstanceX/getSettings/" + kToken), 400);
  EXPECT_EQ(status(Verb::get, "/waInstance99999999999999999999999/getSettings/" + kToken), 403);
  EXPECT_EQ(status(Verb::get, "/waInstance" + id), 403);
  EXPECT_EQ(status(Verb::get, "/"), 200);
  EXPECT_EQ(status(Verb::post, "/partner/createInstance/abc"), 403);
  EXPECT_EQ(status(Verb::get, Box::path("noSuchMethod")), 404);
  EXPECT_EQ(status(Verb::get, Box::path("sendMessage")), 404);
  EXPECT_EQ(status(Verb::other, Box::path("getSettings")), 404);
  EXPECT_EQ(
      box.send(Box::request(Verb::get, "/waInstance" + id + "/receiveNotification"))->message(),
      "Parameter apiTokenInstance not define");
}

TEST(ApiUrl, AnswersPreflightsWithoutAToken) {
  Box box;
  const auto answer = box.send(Box::request(Verb::options, "/waInstance1/sendMessage/x"));
  EXPECT_EQ(answer->status(), 204);
  EXPECT_EQ(answer->header("Access-Control-Allow-Methods"), "GET, POST, DELETE, OPTIONS");
  EXPECT_NE(answer->header("Access-Control-Allow-Headers").find("GA-Filename"), std::string::npos);
}

TEST(ApiUrl, KeepsTheErrorBodyJsonWhateverThePathHolds) {
  Box box;
  const auto answer = box.send(Box::request(Verb::get, "/wa\xff\"\n<x>"));
  EXPECT_EQ(answer->status(), 403);
  EXPECT_EQ(answer->json()["path"].asString(), "/wa\xEF\xBF\xBD\"\n<x>");
}

TEST(ApiToken, HoldsBackTheRefusalOfAWrongOneLongerEachTime) {
  Box box;
  const std::string path =
      "/waInstance" + std::to_string(kId) + "/getSettings/" + std::string(50, '0');
  const auto first = box.send(Box::request(Verb::get, path));
  EXPECT_EQ(first->status(), 0);
  box.scheduler.advance(milliseconds(500));
  ASSERT_EQ(first->status(), 401);
  EXPECT_EQ(first->json()["code"].asInt(), 401);
  EXPECT_EQ(first->json()["description"].asString(), "Unauthorized");
  EXPECT_EQ(first->json()["statusCode"].asInt(), 401);
  EXPECT_EQ(first->message(), "Unauthorized");

  const auto second = box.send(Box::request(Verb::get, path));
  box.scheduler.advance(milliseconds(999));
  EXPECT_EQ(second->status(), 0);
  box.scheduler.advance(milliseconds(1));
  EXPECT_EQ(second->status(), 401);
}

TEST(ApiToken, NeverHoldsBackARightOne) {
  Box box;
  const std::string wrong = "/waInstance" + std::to_string(kId) + "/getSettings/bad";
  std::vector<std::shared_ptr<Answer>> guesses;
  for (int i = 0; i < 40; ++i) guesses.push_back(box.send(Box::request(Verb::get, wrong)));
  EXPECT_EQ(box.get("getSettings")->status(), 200);
  EXPECT_EQ(guesses.back()->status(), 429) << "only so many refusals are held at once";
  box.scheduler.advance(seconds(60));
  EXPECT_EQ(guesses.front()->status(), 401);
}

TEST(ApiToken, AnswersWhatIsHeldWhenTheBoxStops) {
  Box box;
  const auto held =
      box.send(Box::request(Verb::get, "/waInstance" + std::to_string(kId) + "/qr/bad"));
  box.api->stop();
  EXPECT_EQ(held->status(), 401);
}

TEST(ApiRate, RefusesMoreThanTheBurstAndRecovers) {
  Box box;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(box.get("getSettings")->status(), 200);
  const auto refused = box.get("getSettings");
  EXPECT_EQ(refused->status(), 429);
  EXPECT_EQ(refused->message(), "Too Many Requests");
  EXPECT_EQ(refused->header("Retry-After"), "1");
  EXPECT_EQ(box.get("getStateInstance")->status(), 200) << "limits are per method";
  box.scheduler.advance(seconds(1));
  EXPECT_EQ(box.get("getSettings")->status(), 200);
  EXPECT_EQ(box.get("getSettings")->status(), 429);
}

TEST(ApiRate, LetsFiftySendsASecondThroughWithTwiceThatAsBurst) {
  Box box;
  const std::string body = R"({"chatId":"4915550007777@c.us","message":"x"})";
  int accepted = 0;
  for (int i = 0; i < 150; ++i) accepted += box.post("sendMessage", body)->status() == 200;
  EXPECT_EQ(accepted, 100);
  box.scheduler.advance(seconds(1));
  accepted = 0;
  for (int i = 0; i < 150; ++i) accepted += box.post("sendMessage", body)->status() == 200;
  EXPECT_EQ(accepted, 50);
}

TEST(ApiRate, CanBeSwitchedOffForBenchmarks) {
  Box box(0);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(box.get("getSettings")->status(), 200);
}

TEST(ApiBody, RefusesMalformedJsonWithThePosition) {
  Box box;
  EXPECT_EQ(box.post("sendMessage", R"({"chatId": x})")->message(),
            "Unexpected token x in JSON at position 11");
  EXPECT_EQ(box.post("sendMessage", "{\"chatId\":\"\xff\"}")->message(),
            "Unexpected token \xEF\xBF\xBD in JSON at position 11; the body must be a JSON object, "
            "encoded in UTF-8");
  EXPECT_EQ(box.post("sendMessage", "[1]")->message(),
            "Validation failed. Details: 'value' must be of type object");
  EXPECT_EQ(box.post("sendMessage", std::string(100'000, '['))->status(), 400);
}

TEST(ApiBody, NamesFormAndEncodingToWhoeverSendsSomethingElse) {
  std::string utf16;
  for (const char c : std::string("{\"chatId\":\"x\"}")) utf16 += std::string{c, '\0'};
  for (const std::string& body :
       {std::string("chatId=4915550007777&message=x"), std::string("--X\r\nContent-Disposition"),
        utf16, "\xFF\xFE" + utf16, std::string("{\"message\":\"\xC7\xE0\xEA\xE0\xE7\"}")}) {
    Box box;
    const auto answer = box.post("sendMessage", body);
    EXPECT_EQ(answer->status(), 400);
    EXPECT_NE(answer->message().find("JSON object, encoded in UTF-8"), std::string::npos)
        << answer->message();
  }
}

TEST(ApiBody, TakesAByteOrderMarkAndBareLineBreaks) {
  Box box;
  EXPECT_EQ(
      box.post("sendMessage", "\xEF\xBB\xBF{\"chatId\":\"4915550007777\",\"message\":\"a\r\nb\"}")
          ->status(),
      200);
  ASSERT_EQ(box.outbox.views.size(), 1U);
  EXPECT_EQ(readable_text(box.outbox.views[0].job.content), "a\r\nb");
}

TEST(ApiBody, IsNotBuiltWhenItHoldsTooManyValues) {
  Box box;
  std::string body = R"({"chatId":"4915550007777","message":"x","y":[)";
  for (int i = 0; i < 100'000; ++i) body += "0,";
  EXPECT_EQ(box.post("sendMessage", body + "0]}")->message(),
            "the JSON holds more than 10000 values");
}

TEST(ApiBody, IgnoresBodiesOfGet) {
  Box box;
  EXPECT_EQ(box.call(Verb::get, "getStateInstance", "{}")->status(), 200);
  EXPECT_EQ(box.call(Verb::get, "getStateInstance", "not json")->status(), 200);
}

TEST(ApiBody, RefusesOneThatWasTooLarge) {
  Box box;
  Request request = Box::request(Verb::post, Box::path("sendMessage"));
  request.body_too_large = true;
  const auto answer = box.send(std::move(request));
  EXPECT_EQ(answer->status(), 413);
  EXPECT_EQ(answer->json()["statusCode"].asInt(), 413);
}

TEST(ApiBody, IsKeptOnlyForThoseWhoHaveTheToken) {
  Box box;
  const auto limit = [&box](const std::string& path) {
    return box.api->terms(Box::request(Verb::post, path)).body_limit;
  };
  EXPECT_GE(limit(Box::path("SENDMESSAGE")), 20'000U * 12 + 4096);
  EXPECT_EQ(limit("/waInstance" + std::to_string(kId) + "/sendMessage/bad"), 0U);
  EXPECT_EQ(limit("/waInstance1/sendMessage/" + kToken), 0U);
  EXPECT_EQ(limit("/waInstance" + std::to_string(kId) + "/sendMessage"), 0U);
  EXPECT_EQ(limit(Box::path("noSuchMethod")), 0U);
  EXPECT_LE(limit("/"), 8192U);
}

TEST(ApiDoors, TakeFurtherMethodsAndPages) {
  Box box;
  box.api->add({"throttleStatus", Verb::get, 1, Needs::nothing,
                [](Call call) { call.send_text(R"({"state":"green"})"); }});
  box.api->add_page("/about", Right::none, [](const Request&, Reply reply) {
    reply.send(Response{.body = "up 1\n", .content_type = "text/plain", .headers = {}});
  });
  EXPECT_EQ(box.get("ThrottleStatus")->text(), R"({"state":"green"})");
  EXPECT_EQ(box.send(Box::request(Verb::get, "/about"))->text(), "up 1\n");
  EXPECT_EQ(box.send(Box::request(Verb::head, "/about"))->status(), 200);
  EXPECT_EQ(box.send(Box::request(Verb::post, "/about"))->status(), 403);
  EXPECT_EQ(box.send(Box::request(Verb::get, "/nothing"))->status(), 403);
}

TEST(ApiDoors, AnswerADroppedRequestWith500) {
  Box box;
  box.api->add({"forgetful", Verb::get, 1, Needs::nothing, [](Call) {}});
  EXPECT_EQ(box.get("forgetful")->status(), 500);
}

TEST(ApiHealth, ShowsTheStatusToWhoHasARight) {
  Box box;
  box.status.link = Status::Link::online;
  box.status.throttle = Status::Throttle::yellow;
  box.status.what_to_do = "Wait until tomorrow.";
  box.status.outbox_jobs = 7;
  const auto answer = box.send(Box::request(Verb::get, "/healthz/" + kToken));
  EXPECT_EQ(answer->status(), 200);
  const json::Value body = answer->json();
  EXPECT_EQ(body["link"].asString(), "online");
  EXPECT_EQ(body["throttle"].asString(), "yellow");
  EXPECT_EQ(body["whatToDo"].asString(), "Wait until tomorrow.");
  EXPECT_EQ(body["outboxJobs"].asInt(), 7);
  EXPECT_TRUE(body["until"].isNull());
  const auto stranger = box.send(Box::request(Verb::get, "/healthz"));
  EXPECT_EQ(stranger->status(), 200);
  EXPECT_EQ(stranger->text(), R"({"status":"ok"})") << "nothing of the shop";
  Request on_the_box = Box::request(Verb::get, "/healthz");
  on_the_box.local = true;
  EXPECT_EQ(box.send(on_the_box)->json()["link"].asString(), "online");
  box.status.storage_ok = false;
  EXPECT_EQ(box.send(Box::request(Verb::get, "/healthz"))->status(), 503);
}

}  // namespace
}  // namespace posthorn::api::test
