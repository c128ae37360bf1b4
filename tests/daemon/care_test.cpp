#include "daemon/care.h"

#include <gtest/gtest.h>

#include "files/power_folder.h"
#include "posthorn/base/json.h"
#include "support/fakes.h"
#include "support/folder.h"

namespace posthorn::daemon {
namespace {

class CareApi : public testing::Test {
 protected:
  CareApi() {
    std::filesystem::create_directories(folder.path / "data");
    auto opened = files::Store::open(std::make_shared<files::test::PowerFolder>(), worker, {});
    EXPECT_TRUE(opened);
    store = std::move(*opened);
    begin();
  }
  void begin() {
    care = std::make_unique<Care>(
        Care::Outside{scheduler, worker, random, clock, *store, folder.at("data"), folder.at("run"),
                      [] { return std::string("rauc-uboot"); }, [] { return std::string("{}"); },
                      [] { return NamedTexts(); },
                      [this](board::Wish wish) {
                        asked.push_back(wish);
                        return refusal ? Result<void>(tl::unexpected(*refusal)) : Result<void>();
                      },
                      [this] { ++restarts; }});
  }
  struct Answer {
    int status = 0;
    json::Value body;
  };
  Answer ask(const std::string& name, const std::string& body = "{}") {
    Answer answer;
    for (api::Route& route : care->routes()) {
      if (route.name != name || !route.handler) continue;
      EXPECT_EQ(route.right, api::Right::care);
      route.handler({{}, *json::parse(body), "", Wall{}, api::Reply([&](const api::Response& got) {
                       answer.status = got.status;
                       answer.body = json::parse(got.body).value_or(json::Value());
                     })});
    }
    scheduler.run_posted();
    return answer;
  }
  std::string state() { return ask("getUpdateStatus").body["state"].asString(); }

  test::Folder folder;
  test::FakeScheduler scheduler;
  test::InlineWorker worker{scheduler};
  test::SeededRandom random;
  Clock clock{scheduler, Wall::from_unix(1'780'000'000, false)};
  std::unique_ptr<files::Store> store;
  std::unique_ptr<Care> care;
  std::vector<board::Wish> asked;
  std::optional<Error> refusal;
  int restarts = 0;
};

TEST_F(CareApi, AResetIsWrittenDownBeforeItIsAccepted) {
  EXPECT_EQ(ask("resetBox", R"({"what":"settings","confirm":"settings"})").status, 200);
  EXPECT_EQ(asked, std::vector{board::Wish::reset_settings});
  EXPECT_EQ(restarts, 0) << "the answer leaves first";
  scheduler.advance(seconds(1));
  EXPECT_EQ(restarts, 1);
  EXPECT_EQ(ask("resetBox", R"({"what":"network","confirm":"network"})").status, 200);
  scheduler.advance(seconds(1));
  EXPECT_EQ(restarts, 1) << "the network is the system's";
}

TEST_F(CareApi, AResetThatCannotBeWrittenDownIsRefused) {
  refusal = Error{Errc::io, "data/requests: No space left on device"};
  const Answer answer = ask("resetBox", R"({"what":"everything","confirm":"everything"})");
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body["message"].asString().find("No space left"), std::string::npos);
  scheduler.advance(seconds(1));
  EXPECT_EQ(restarts, 0);
}

/// Root's word about the update before stays until it says the next one.
TEST_F(CareApi, WhatIsToldOfAnEarlierUpdateIsNotToldOfThisOne) {
  const std::string installed = R"({"state":"installed","detail":""})";
  EXPECT_EQ(state(), "none");
  folder.put("run/update-status.json", installed);
  EXPECT_EQ(state(), "installed");
  ASSERT_TRUE(folder.has("run/update-status.json"));
  folder.put("data/requests/update.raucb", "handed over before the daemon started anew");
  begin();
  EXPECT_EQ(state(), "requested");
  std::filesystem::remove(folder.at("data/requests/update.raucb"));
  EXPECT_EQ(state(), "installed");
}

}  // namespace
}  // namespace posthorn::daemon
