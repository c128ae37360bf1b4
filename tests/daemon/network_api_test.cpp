#include "daemon/network_api.h"

#include <gtest/gtest.h>

#include "posthorn/base/json.h"
#include "support/folder.h"

namespace posthorn::daemon {
namespace {

class NetworkApi : public testing::Test {
 protected:
  struct Answer {
    int status = 0;
    json::Value body;
  };
  Answer ask(const std::string& name, const std::string& body = "{}") {
    Answer answer;
    for (api::Route& route : network_routes({folder.at("data"), folder.at("run")})) {
      if (route.name != name) continue;
      EXPECT_EQ(route.right, api::Right::care);
      route.handler({{}, *json::parse(body), "", Wall{}, api::Reply([&](const api::Response& got) {
                       answer.status = got.status;
                       answer.body = json::parse(got.body).value_or(json::Value());
                     })});
    }
    return answer;
  }
  void manage() {
    std::filesystem::create_directories(folder.path / "data");
    folder.put("run/network.json",
               R"({"settings":{"address":"192.168.1.20/24"},"onCard":["dns"]})");
  }
  test::Folder folder;
};

TEST_F(NetworkApi, SomebodysOwnComputerSaysSoAndIsNotChanged) {
  const Answer answer = ask("getNetwork");
  EXPECT_FALSE(answer.body["managed"].asBool());
  EXPECT_EQ(answer.body["sentence"].asString(),
            "The network of this computer is set by its operating system.");
  EXPECT_EQ(answer.body["state"].asString(), "none");
  EXPECT_TRUE(answer.body["interfaces"].isArray());
  EXPECT_EQ(ask("changeNetwork", R"({"address":"dhcp"})").status, 409);
  EXPECT_FALSE(folder.has("data/requests/network-change"));
}

TEST_F(NetworkApi, AsksRootInLinesOfPosthornTxt) {
  manage();
  EXPECT_EQ(ask("getNetwork").body["settings"]["address"].asString(), "192.168.1.20/24");
  EXPECT_EQ(ask("getNetwork").body["onCard"][0].asString(), "dns");
  const Answer answer = ask("changeNetwork", R"({"address":"192.168.1.30/24",)"
                                             R"("gateway":"192.168.1.1","timeServer":""})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["seconds"].asInt(), 90);
  EXPECT_EQ(folder.get("data/requests/network-change"),
            "address = 192.168.1.30/24\ngateway = 192.168.1.1\ntime_server = none\n");
  EXPECT_EQ(ask("getNetwork").body["state"].asString(), "applying");
}

TEST_F(NetworkApi, WhatIsWrongIsRefusedInWords) {
  manage();
  for (const char* body :
       {R"({})", R"({"address":7})", R"({"address":"192.168.1.300/24"})",
        R"({"address":"dhcp\nhost_name = x"})", R"({"dns":"9.9.9.9\ncare_token = none"})",
        R"({"timeServer":"-x"})", R"({"wifi_name":"Shop"})"}) {
    const Answer answer = ask("changeNetwork", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_FALSE(answer.body["message"].asString().empty()) << body;
  }
  EXPECT_FALSE(folder.has("data/requests/network-change"));
}

TEST_F(NetworkApi, OnlyWhatWaitsIsConfirmed) {
  manage();
  EXPECT_EQ(ask("confirmNetwork").status, 409);
  folder.put("run/network-status.json", R"({"state":"waiting","untilSeconds":99999999999})");
  EXPECT_EQ(ask("getNetwork").body["secondsLeft"].asInt(), 90);
  EXPECT_EQ(ask("changeNetwork", R"({"address":"dhcp"})").status, 409);
  EXPECT_FALSE(folder.has("data/requests/network-change"));
  EXPECT_EQ(ask("confirmNetwork").status, 200);
  EXPECT_TRUE(folder.has("data/requests/network-confirm"));
  folder.put("run/network-status.json", R"({"state":"back","detail":"nobody confirmed it"})");
  EXPECT_EQ(ask("getNetwork").body["sentence"].asString(),
            "The settings of before hold again: nobody confirmed it.");
  EXPECT_TRUE(ask("getNetwork").body["secondsLeft"].isNull());
}

TEST_F(NetworkApi, DamagedFilesAreNothingTold) {
  for (const char* damage : {"", "[", "[]", "7", R"({"settings":3,"onCard":{}})"}) {
    folder.put("run/network.json", damage);
    folder.put("run/network-status.json", damage);
    const Answer answer = ask("getNetwork");
    EXPECT_EQ(answer.status, 200) << damage;
    EXPECT_EQ(answer.body["settings"].size(), 0U) << damage;
    EXPECT_EQ(answer.body["state"].asString(), "none") << damage;
  }
}

}  // namespace
}  // namespace posthorn::daemon
