#include "daemon/throttle_api.h"

#include <gtest/gtest.h>

#include "posthorn/base/json.h"
#include "throttle/valve_fixture.h"

namespace posthorn::daemon {
namespace {

using throttle::test::person;

/// A number whose first messages of the day have been sent, on a box that keeps jobs for two hours.
struct Busy {
  Busy() {
    for (int i = 0; i < 5; ++i)
      box.post(throttle::test::with_consent(box.make_job(person(i), "Hi " + std::to_string(i))));
    box.scheduler.advance(hours(1));
  }
  /// Asks whether somebody new may be written to.
  api::Response ask(const std::string& expires_in) {
    return call("canSend",
                R"({"chatId":")" + person(9) + R"(","consent":"order")" + expires_in + "}");
  }
  api::Response call(std::string_view name, const std::string& text) {
    api::Response answer;
    const auto body = json::parse(text);
    for (api::Route& route : throttle_routes(*box.valve, changes, pause, hours(2))) {
      if (route.name != name) continue;
      route.handler({{}, *body, "", Wall{}, api::Reply([&answer](api::Response got) {
                       answer = std::move(got);
                     })});
    }
    return answer;
  }
  throttle::test::Box box;
  SettingChanges changes{box.blobs};
  TimedPause pause{box.scheduler, box.clock};
};

TEST(CanSend, WithoutExpiresInAMessageMayWaitAsLongAsTheBoxKeepsIt) {
  Busy busy;
  const api::Response kept = busy.ask("");
  EXPECT_EQ(kept.status, 200);
  EXPECT_NE(kept.body.find(R"("reason":"no_capacity")"), std::string::npos) << kept.body;
  const api::Response longer = busy.ask(R"(,"expiresIn":48)");
  EXPECT_NE(longer.body.find(R"("canSend":true)"), std::string::npos) << longer.body;
}

TEST(CanSend, RefusesWhatASendRefuses) {
  Busy busy;
  for (const char* wrong : {"0", "169", "-1", "1.5", "true", "\"soon\"", "[]"}) {
    const api::Response answer = busy.ask(std::string(R"(,"expiresIn":)") + wrong);
    EXPECT_EQ(answer.status, 400) << wrong;
    EXPECT_NE(answer.body.find("'expiresIn'"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(busy.ask(R"(,"expiresIn":"24")").status, 200) << "numbers come as text too";
}

/// The answer of canSend to this body, on a box without an official number.
api::Response can_send(Busy& busy, const std::string& body, AskOfficial official = {}) {
  api::Response answer;
  const auto parsed = json::parse(body);
  for (api::Route& route :
       throttle_routes(*busy.box.valve, busy.changes, busy.pause, hours(2), std::move(official))) {
    if (route.name != "canSend") continue;
    route.handler({{}, *parsed, "", Wall{}, api::Reply([&answer](api::Response got) {
                     answer = std::move(got);
                   })});
  }
  return answer;
}

TEST(CanSend, ReadsWhatItIsAskedAsASendDoes) {
  Busy busy;
  const std::string chat = R"({"chatId":")" + person(1) + R"(")";
  const auto refused = [&](const std::string& body, const char* words) {
    const api::Response answer = can_send(busy, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.body.find(words), std::string::npos) << answer.body;
  };
  refused(chat + R"(,"consent":"banana"})", "must be one of [order, form, spoken]");
  refused(chat + R"(,"urgent":"soon"})", "'urgent'");
  refused(chat + R"(,"transport":"pigeon"})", "'transport'");
  refused(chat + R"(,"transport":"official"})", "no official number is set up");
  refused(R"({"chatId":"DE.1a2B@bsuid"})", "only an official number can write to it");
  refused("{}", "'chatId' is required");
  EXPECT_EQ(can_send(busy, chat + R"(,"urgent":"yes"})").status, 200);
  EXPECT_EQ(can_send(busy, R"({"phoneNumber":4915550001234})").status, 200) << "as old clients ask";
}

TEST(CanSend, SaysOfAGroupWhatIsTrue) {
  Busy busy;
  const api::Response answer = can_send(busy, R"({"chatId":"120363000000000001@g.us"})");
  EXPECT_NE(answer.body.find("Whether the account is in this group the box asks"),
            std::string::npos)
      << answer.body;
  EXPECT_NE(answer.body.find(R"("lane":"known")"), std::string::npos) << answer.body;
}

TEST(CanSend, TellsWhatTheOfficialNumberWouldDo) {
  Busy busy;
  OfficialOutlook outlook;
  outlook.set_up = outlook.takes_it = true;
  const std::string body = R"({"chatId":")" + person(1) + R"(","transport":"official"})";
  const api::Response now = can_send(busy, body, [&](const Job&) { return outlook; });
  EXPECT_NE(now.body.find(R"("lane":"official")"), std::string::npos) << now.body;
  EXPECT_NE(now.body.find(R"("canSend":true)"), std::string::npos) << now.body;
  outlook.refusal = "needs a template";
  const api::Response none = can_send(busy, body, [&](const Job&) { return outlook; });
  EXPECT_NE(none.body.find(R"("canSend":false)"), std::string::npos) << none.body;
  EXPECT_NE(none.body.find("A message would fail: needs a template."), std::string::npos);
  const api::Response group =
      can_send(busy, R"({"chatId":"120363000000000001@g.us","transport":"official"})",
               [&](const Job&) { return outlook; });
  EXPECT_EQ(group.status, 400) << "as a send";
}

TEST(Override, RefusesHoursThatNoClockCounts) {
  Busy busy;
  const auto ask = [&busy](const char* lasts) {
    return busy
        .call("addThrottleOverride",
              std::string(R"({"limit":"hour","who":"shop","reason":"a very busy day","hours":)") +
                  lasts + "}")
        .status;
  };
  // The second is nearly two hours, once its milliseconds have run over.
  for (const char* wrong : {"25", "5124095576030433", "9223372036854775807", "-1", "0"}) {
    EXPECT_EQ(ask(wrong), 400) << wrong;
  }
  EXPECT_EQ(ask("24"), 200);
}

}  // namespace
}  // namespace posthorn::daemon
