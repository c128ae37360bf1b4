#include <gtest/gtest.h>

#include "box.h"

namespace posthorn::api::test {
namespace {

using session::Passkey;

constexpr auto kOptions = R"({"rpId":"whatsapp.com","challenge":"QQ","timeout":600000})";

Passkey asked(Box& box) {
  Passkey passkey;
  passkey.stage = Passkey::Stage::awaiting_response;
  passkey.options = kOptions;
  passkey.until = box.clock.now() + minutes(10);
  passkey.message = "answer it";
  return passkey;
}

TEST(GetPasskey, ShowsWhatIsToBeDone) {
  Box box;
  box.link.who = {};
  EXPECT_EQ(box.get("getPasskey")->text(), R"({"message":"","status":"none"})");
  box.link.asked_for = asked(box);
  const json::Value shown = box.get("getPasskey")->json();
  EXPECT_EQ(shown["status"].asString(), "awaitingResponse");
  EXPECT_EQ(shown["message"].asString(), "answer it");
  EXPECT_EQ(shown["options"]["challenge"].asString(), "QQ");
  EXPECT_EQ(shown["optionsText"].asString(), kOptions) << "byte for byte";
  EXPECT_EQ(shown["secondsLeft"].asInt(), 600);
  EXPECT_EQ(shown["expiresAt"].asInt64(), (box.clock.now() + minutes(10)).unix_seconds());
  EXPECT_FALSE(shown.isMember("code"));

  box.link.asked_for.stage = Passkey::Stage::awaiting_confirmation;
  box.link.asked_for.code = "26KW-9S7A";
  const json::Value compared = box.get("getPasskey")->json();
  EXPECT_EQ(compared["status"].asString(), "awaitingConfirmation");
  EXPECT_EQ(compared["code"].asString(), "26KW-9S7A");
  EXPECT_FALSE(compared.isMember("options"));
}

TEST(GetPasskey, GivesTheScriptToPasteWithItsOptions) {
  Box box;
  box.link.asked_for = asked(box);
  const std::string snippet = box.get("getPasskey")->json()["snippet"].asString();
  EXPECT_NE(snippet.find("function posthornPasskey("), std::string::npos);
  EXPECT_NE(snippet.find("navigator.credentials.get("), std::string::npos);
  EXPECT_TRUE(snippet.ends_with("posthornPasskey(" + std::string(kOptions) + ")\n"));
}

TEST(Qr, SaysThatAPasskeyIsRequired) {
  Box box;
  box.link.who = {};
  box.link.asked_for = asked(box);
  const json::Value answer = box.get("qr")->json();
  EXPECT_EQ(answer["type"].asString(), "passkeyRequired");
  EXPECT_EQ(answer["message"].asString(), "answer it");
  EXPECT_EQ(answer["passkeyStatus"].asString(), "awaitingResponse");
  EXPECT_EQ(answer["passkeyOptions"]["rpId"].asString(), "whatsapp.com");
  EXPECT_EQ(answer["secondsLeft"].asInt(), 600);
}

TEST(GetAuthorizationCode, SaysThatAPasskeyIsRequired) {
  Box box;
  box.link.who = {};
  box.link.asked_for = asked(box);
  box.link.link_code = fail(Errc::busy, "a passkey is asked for");
  const json::Value answer =
      box.post("getAuthorizationCode", R"({"phoneNumber":4915550001234})")->json();
  EXPECT_EQ(answer["status"].asBool(), false);
  EXPECT_EQ(answer["code"].asString(), "");
  EXPECT_EQ(answer["type"].asString(), "passkeyRequired");
  EXPECT_EQ(answer["message"].asString(), "a passkey is asked for");
}

TEST(SendPasskeyResponse, HandsTheAnswerOnAndSaysWhatDidNotFit) {
  Box box;
  EXPECT_EQ(box.post("sendPasskeyResponse", R"({"type":"public-key"})")->text(),
            R"({"accepted":true})");
  EXPECT_EQ(box.link.asked, std::vector<std::string>{R"({"type":"public-key"})"});
  for (const Errc code : {Errc::malformed, Errc::not_found, Errc::busy, Errc::refused}) {
    box.scheduler.advance(seconds(2));
    box.link.passkey_result = fail(code, "it is of an earlier request");
    const auto refused = box.post("sendPasskeyResponse", "{}");
    EXPECT_EQ(refused->status(), 400);
    EXPECT_EQ(refused->message(), "it is of an earlier request");
  }
  box.scheduler.advance(seconds(2));
  box.link.passkey_result = fail(Errc::timeout, "");
  EXPECT_EQ(box.post("sendPasskeyResponse", "{}")->status(), 502);
}

TEST(ConfirmPasskey, TakesYesAndNoAndNothingElse) {
  Box box;
  EXPECT_EQ(box.post("confirmPasskey", R"({"match":true})")->text(), R"({"confirmed":true})");
  EXPECT_EQ(box.link.asked, std::vector<std::string>{"match"});
  box.scheduler.advance(seconds(2));
  EXPECT_EQ(box.post("confirmPasskey", R"({"match":false})")->text(), R"({"confirmed":false})");
  EXPECT_EQ(box.link.asked, std::vector<std::string>{"differ"});
  box.scheduler.advance(seconds(2));
  box.link.asked.clear();
  for (const char* body : {"{}", R"({"match":"yes"})", R"({"match":1})"}) {
    box.scheduler.advance(seconds(2));
    EXPECT_EQ(box.post("confirmPasskey", body)->status(), 400) << body;
  }
  EXPECT_TRUE(box.link.asked.empty());
}

}  // namespace
}  // namespace posthorn::api::test
