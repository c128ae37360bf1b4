#include "daemon/fleet_desk.h"

#include <gtest/gtest.h>

#include "support/fakes.h"

namespace posthorn::daemon {
namespace {

struct Desk {
  test::FakeScheduler scheduler;
  Clock clock{scheduler, Wall::from_unix(1'790'000'000, true)};
  FleetDesk desk{scheduler};

  struct Answer {
    int status = 0;
    json::Value body;
  };
  Answer ask(const std::string& name, const std::string& body = "{}") {
    Answer answer;
    for (api::Route& route : desk.routes()) {
      if (route.name != name) continue;
      route.handler(
          {{}, *json::parse(body), "", clock.now(), api::Reply([&](const api::Response& got) {
             answer.status = got.status;
             answer.body = json::parse(got.body).value_or(json::Value());
           })});
    }
    return answer;
  }
};

constexpr const char* kEnrolled =
    R"({"enrolled":true,"org":"bakery","host":"broker.example","broker":"connected",)"
    R"("lastCommand":{"do":"send","status":"done","time":1790000000},"certificateUntil":1800000000})";

TEST(FleetDesk, ABoxWithoutTheProgramSaysSo) {
  Desk desk;
  const auto shown = desk.ask("getFleet").body;
  EXPECT_FALSE(shown["running"].asBool());
  EXPECT_FALSE(shown["enrolled"].asBool());
  EXPECT_TRUE(shown["lastCommand"].isNull());
  EXPECT_EQ(desk.ask("enrolFleet", R"({"url":"https://head.example/e","code":"C"})").status, 409);
  EXPECT_EQ(desk.ask("leaveFleet", R"({"confirm":"leave"})").status, 409);
}

TEST(FleetDesk, AWishIsGivenOnceToWhoeverReports) {
  Desk desk;
  EXPECT_EQ(desk.ask("reportFleet").body["do"].asString(), "none");
  const char* wish = R"({"url":"https://head.example/enrol","code":"C-17","pin":"sha256//AA="})";
  ASSERT_EQ(desk.ask("enrolFleet", wish).status, 200);
  const auto shown = desk.ask("getFleet").body;
  EXPECT_EQ(shown["wish"].asString(), "enrol");
  EXPECT_EQ(json::write(shown).find("C-17"), std::string::npos);
  const auto told = desk.ask("reportFleet").body;
  EXPECT_EQ(told["do"].asString(), "enrol");
  EXPECT_EQ(told["url"].asString(), "https://head.example/enrol");
  EXPECT_EQ(told["code"].asString(), "C-17");
  EXPECT_EQ(desk.ask("reportFleet").body["do"].asString(), "none");
}

TEST(FleetDesk, LeavingIsForWhoIsIn) {
  Desk desk;
  desk.ask("reportFleet", kEnrolled);
  EXPECT_EQ(desk.ask("enrolFleet", R"({"url":"https://head.example","code":"C"})").status, 409);
  EXPECT_EQ(desk.ask("leaveFleet", R"({"confirm":"yes"})").status, 400);
  ASSERT_EQ(desk.ask("leaveFleet", R"({"confirm":"leave"})").status, 200);
  EXPECT_EQ(desk.ask("reportFleet", kEnrolled).body["do"].asString(), "leave");
  // It has left by itself meanwhile.
  ASSERT_EQ(desk.ask("leaveFleet", R"({"confirm":"leave"})").status, 200);
  EXPECT_EQ(desk.ask("reportFleet").body["do"].asString(), "none");
}

TEST(FleetDesk, AWishOfLongAgoIsForgotten) {
  Desk desk;
  desk.ask("reportFleet", kEnrolled);
  ASSERT_EQ(desk.ask("leaveFleet", R"({"confirm":"leave"})").status, 200);
  desk.scheduler.advance(FleetDesk::kFresh);
  EXPECT_EQ(desk.ask("reportFleet", kEnrolled).body["do"].asString(), "none");
  EXPECT_EQ(desk.ask("reportFleet", kEnrolled).body["do"].asString(), "none");
}

TEST(FleetDesk, ShowsWhatWasReportedAndWhenItIsOld) {
  Desk desk;
  desk.ask("reportFleet", kEnrolled);
  auto shown = desk.ask("getFleet").body;
  EXPECT_TRUE(shown["running"].asBool());
  EXPECT_EQ(shown["lastCommand"]["do"].asString(), "send");
  EXPECT_EQ(shown["certificateUntil"].asInt64(), 1'800'000'000);
  EXPECT_EQ(shown["sentence"].asString(), "Connected to the broker broker.example.");
  desk.scheduler.advance(FleetDesk::kFresh);
  shown = desk.ask("getFleet").body;
  EXPECT_FALSE(shown["running"].asBool());
  EXPECT_EQ(desk.ask("leaveFleet", R"({"confirm":"leave"})").status, 409);
}

TEST(FleetDesk, WhatIsWrittenIsBoundedAndChecked) {
  Desk desk;
  desk.ask("reportFleet", R"({"message":")" + std::string(5000, 'x') + R"(","lastCommand":[1]})");
  EXPECT_LE(desk.ask("getFleet").body["message"].asString().size(), 300U);
  std::string umlauts = "x";
  for (int i = 0; i < 300; ++i) umlauts += "ä";
  desk.ask("reportFleet", R"({"message":")" + umlauts + "\"}");
  EXPECT_EQ(desk.ask("getFleet").body["message"].asString(), umlauts.substr(0, 299));
  for (const char* wrong :
       {R"({"url":"http://head.example","code":"C"})", R"({"url":"https://a b","code":"C"})",
        R"({"url":"https://head.example","code":""})",
        R"({"url":"https://head.example","code":"a\nb"})",
        R"({"url":"https://head.example","code":"C","pin":"x"})", R"({"code":"C"})"}) {
    EXPECT_EQ(desk.ask("enrolFleet", wrong).status, 400) << wrong;
  }
}

}  // namespace
}  // namespace posthorn::daemon
