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
