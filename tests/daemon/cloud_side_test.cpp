#include "daemon/cloud_side.h"

#include <gtest/gtest.h>

#include "daemon/outbox.h"
#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn::daemon {
namespace {

constexpr const char* kHook = "http://till.lan/hook";

/// The till's software: answers the challenge, or not, and takes webhooks.
struct Till final : net::HttpClient {
  void send(net::HttpRequest request, Once<void(Result<net::HttpResponse>)> done) override {
    if (request.method == "GET") {
      const std::size_t at = request.url.find("hub.challenge=") + 14;
      const std::string said = request.url.substr(at, request.url.find('&', at) - at);
      return done(net::HttpResponse{knows_us ? 200 : 403, knows_us ? said : "no"});
    }
    if (const auto body = json::parse(request.body)) webhooks.push_back(*body);
    done(net::HttpResponse{takes ? 200 : 500, ""});
  }
  bool knows_us = true;
  bool takes = true;
  std::vector<json::Value> webhooks;
};

/// A linked account of which nothing is asked here.
struct Unasked final : chat::ReadMarks, chat::Presence, chat::Earlier {
  void mark(const std::string&, const std::string&, Once<void(Result<std::size_t>)> done) override {
    done(std::size_t{0});
  }
  void show_typing(const std::string&, chat::Typing) override {}
  void keep_online(bool) override {}
  Result<std::optional<chat::EarlierMessage>> find(const std::string&,
                                                   const std::string&) override {
    return std::optional<chat::EarlierMessage>();
  }
};

class CloudSideTest : public ::testing::Test {
 protected:
  CloudSideTest() { start(); }
  ~CloudSideTest() override { end(); }

  std::unique_ptr<queue::RingFile> open_ring() {
    queue::RingFile::Options options;
    options.path = "inbox.ring";
    options.bytes = 256 * 1024;
    return std::move(*queue::RingFile::open(disk_, scheduler_, worker_, random_, options));
  }
  void start() {
    side_ =
        std::move(*CloudSide::make({scheduler_, clock_, random_, blobs_, till_, *ring_, refused_,
                                    outbox_, notifier_, settings_, linked_, linked_, linked_,
                                    [] {
                                      return cloud::Endpoint::Account{"4915550001234", "Café"};
                                    },
                                    [this] { return status_; }}));
    side_->look_at_quality();
    scheduler_.advance(seconds(1));
  }
  void end() {
    side_->stop();
    side_.reset();
    scheduler_.run_posted();
  }
  /// The answer of a method of the box.
  json::Value call(const std::string& name, const std::string& body = "{}") {
    std::string out;
    for (const api::Route& route : side_->routes()) {
      if (route.name != name) continue;
      route.handler({{}, *json::parse(body), "", Wall{}, api::Reply([&out](api::Response got) {
                       out = std::to_string(got.status) + got.body;
                     })});
    }
    scheduler_.advance(seconds(1));
    json::Value answer = json::parse(out.substr(std::min<std::size_t>(3, out.size())))
                             .value_or(json::Value(::Json::objectValue));
    answer["http"] = out.substr(0, 3);
    return answer;
  }
  void grade(Status::Throttle level) {
    status_.throttle = level;
    side_->look_at_quality();
    scheduler_.advance(seconds(1));
  }
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> out;
    for (const json::Value& one : till_.webhooks) {
      out.push_back(one["entry"][0]["changes"][0]["value"]["event"].asString());
    }
    return out;
  }

  test::MemDisk disk_;
  test::FakeScheduler scheduler_;
  test::InlineWorker worker_{scheduler_};
  test::SeededRandom random_{1};
  Clock clock_{scheduler_, Wall::from_unix(1'767'225'600)};
  test::MemoryBlobStore blobs_{scheduler_};
  RefusedList refused_{blobs_, clock_};
  Till till_;
  Unasked linked_;
  std::unique_ptr<queue::RingFile> ring_ = open_ring();
  Outbox outbox_{*ring_};
  api::SettingsStore settings_{blobs_};
  api::Notifier notifier_{api::Notifier::Outside{
      scheduler_, clock_, blobs_, settings_, [] { return api::Instance(); },
      [](const api::InboxItem&, Once<void(Result<void>)> stored) { stored({}); }}};
  Status status_;
  std::unique_ptr<CloudSide> side_;
};

TEST_F(CloudSideTest, ASecretIsKeptOnlyWithTheCallbackItCameWith) {
  const std::string before = call("getCloudSettings")["appSecret"].asString();
  const std::string asked = R"({"appSecret":"0123456789abcdef0123","callbackUrl":")" +
                            std::string(kHook) + R"(","verifyToken":"x"})";
  till_.knows_us = false;
  EXPECT_EQ(call("setCloudSettings", asked)["http"].asString(), "400");
  EXPECT_EQ(call("getCloudSettings")["appSecret"].asString(), before);
  EXPECT_EQ(call("getCloudSettings")["callbackUrl"].asString(), "");
  till_.knows_us = true;
  EXPECT_EQ(call("setCloudSettings", asked)["http"].asString(), "200");
  EXPECT_EQ(call("getCloudSettings")["appSecret"].asString(), "0123456789abcdef0123");
  EXPECT_EQ(call("setCloudSettings", R"({"appSecret":"another0123456789"})")["http"].asString(),
            "200");
  EXPECT_EQ(call("getCloudSettings")["appSecret"].asString(), "another0123456789");
  EXPECT_EQ(call("getCloudSettings")["callbackUrl"].asString(), kHook);
}

TEST_F(CloudSideTest, TheReceiverIsToldOfTheNumbersGrade) {
  grade(Status::Throttle::amber);
  EXPECT_TRUE(till_.webhooks.empty()) << "nobody is told";
  call("setCloudSettings", R"({"callbackUrl":")" + std::string(kHook) + R"("})");
  EXPECT_TRUE(till_.webhooks.empty()) << "who comes new asks for it";
  grade(Status::Throttle::red);
  grade(Status::Throttle::yellow);
  EXPECT_EQ(events(), std::vector<std::string>{"FLAGGED"}) << "red and yellow are one grade";
  grade(Status::Throttle::green);
  EXPECT_EQ(events().back(), "UNFLAGGED");
  till_.takes = false;
  grade(Status::Throttle::amber);
  till_.webhooks.clear();
  end();
  till_.takes = true;
  start();
  scheduler_.advance(seconds(10));
  EXPECT_EQ(events(), std::vector<std::string>{"DOWNGRADE"}) << "it had not been told";
  end();
  start();
  EXPECT_EQ(events().size(), 1U);
}

}  // namespace
}  // namespace posthorn::daemon
