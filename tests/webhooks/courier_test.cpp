#include "posthorn/webhooks/courier.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "support/fakes.h"

namespace posthorn::webhooks {
namespace {

class FakeMailbox final : public Mailbox {
 public:
  [[nodiscard]] std::optional<Head> head() override {
    if (waiting.empty()) return std::nullopt;
    return Head{waiting.begin()->first, waiting.begin()->second};
  }
  void remove(std::uint32_t id, Once<void(Result<bool>)> done) override {
    if (failure) return done(tl::unexpected(*failure));
    done(waiting.erase(id) == 1);
  }

  std::map<std::uint32_t, std::string> waiting;
  std::optional<Error> failure;
};

/// Keeps requests until the test answers them.
class FakeClient final : public net::HttpClient {
 public:
  struct Asked {
    net::HttpRequest request;
    Once<void(Result<net::HttpResponse>)> done;
  };
  void send(net::HttpRequest request, Once<void(Result<net::HttpResponse>)> done) override {
    bodies.push_back(request.body);
    open.push_back({std::move(request), std::move(done)});
  }
  void answer(Result<net::HttpResponse> result) {
    Asked first = std::move(open.front());
    open.pop_front();
    first.done(std::move(result));
  }
  void answer(int status) { answer(net::HttpResponse{status, ""}); }
  ~FakeClient() override {
    while (!open.empty()) answer(fail(Errc::cancelled, "closed"));
  }

  std::deque<Asked> open;
  std::vector<std::string> bodies;
};

struct Shop {
  test::FakeScheduler scheduler;
  FakeMailbox mailbox;
  FakeClient client;
  std::unique_ptr<Courier> courier = make();

  std::unique_ptr<Courier> make() {
    return std::make_unique<Courier>(CourierOptions{},
                                     Courier::Outside{scheduler, client, mailbox});
  }
  void arrive(std::uint32_t id, const std::string& body) {
    mailbox.waiting[id] = body;
    courier->on_notification();
  }
  void target(const std::string& url, const std::string& token = "") {
    courier->set_target({url, token});
  }
  [[nodiscard]] std::string header(const std::string& name) const {
    for (const auto& [key, value] : client.open.front().request.headers) {
      if (key == name) return value;
    }
    return "(none)";
  }
};

TEST(Courier, PostsTheBareNotificationAndRemovesItAfter200) {
  Shop shop;
  shop.target("http://till.lan/hook", "secret");
  shop.arrive(7, R"({"typeWebhook":"a"})");
  ASSERT_EQ(shop.client.open.size(), 1U);
  const net::HttpRequest& request = shop.client.open.front().request;
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://till.lan/hook");
  EXPECT_EQ(request.body, R"({"typeWebhook":"a"})");
  EXPECT_EQ(request.redirects, 0);
  EXPECT_EQ(request.timeout, milliseconds(30'000));
  EXPECT_EQ(shop.header("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(shop.header("Authorization"), "Bearer secret");
  shop.client.answer(200);
  EXPECT_TRUE(shop.mailbox.waiting.empty());
  EXPECT_EQ(shop.courier->counters().delivered, 1U);
}

TEST(Courier, SendsTheTokenAsDocumented) {
  EXPECT_EQ(authorization_of(""), "");
  EXPECT_EQ(authorization_of("abc"), "Bearer abc");
  EXPECT_EQ(authorization_of("Bearer abc"), "Bearer abc");
  EXPECT_EQ(authorization_of("Basic dXNlcjpw"), "Basic dXNlcjpw");
  EXPECT_EQ(authorization_of("bearer"), "Bearer bearer");
  Shop shop;
  shop.target("http://till.lan/");
  shop.arrive(1, "{}");
  EXPECT_EQ(shop.header("Authorization"), "(none)");
}

TEST(Courier, DeliversOneAtATimeInOrder) {
  Shop shop;
  shop.target("http://till.lan/");
  for (std::uint32_t id = 1; id <= 3; ++id) shop.arrive(id, std::to_string(id));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(shop.client.open.size(), 1U);
    shop.client.answer(200);
    shop.scheduler.advance(milliseconds(20));
  }
  EXPECT_EQ(shop.client.bodies, (std::vector<std::string>{"1", "2", "3"}));
}

TEST(Courier, KeepsToFiftyASecond) {
  Shop shop;
  shop.target("http://till.lan/");
  for (std::uint32_t id = 1; id <= 2; ++id) shop.arrive(id, "{}");
  shop.client.answer(200);
  shop.scheduler.advance(milliseconds(19));
  EXPECT_TRUE(shop.client.open.empty());
  shop.scheduler.advance(milliseconds(1));
  EXPECT_EQ(shop.client.open.size(), 1U);
}

TEST(Courier, TriesTheSameOneAgainEveryMinuteUntilItIs200) {
  Shop shop;
  shop.target("http://till.lan/");
  shop.arrive(1, "first");
  shop.arrive(2, "second");
  const std::vector<Result<net::HttpResponse>> failures = {
      net::HttpResponse{500, ""},       net::HttpResponse{201, ""},
      net::HttpResponse{302, ""},       net::HttpResponse{404, ""},
      net::HttpResponse{404, ""},       net::HttpResponse{404, ""},
      fail(Errc::timeout, "no answer"), fail(Errc::refused, "nobody listens"),
      fail(Errc::crypto, "certificate")};
  for (const auto& failure : failures) {
    shop.client.answer(failure);
    shop.scheduler.advance(milliseconds(59'999));
    EXPECT_TRUE(shop.client.open.empty());
    shop.arrive(3, "third");
    EXPECT_TRUE(shop.client.open.empty()) << "a new notification does not shorten the pause";
    shop.scheduler.advance(milliseconds(1));
    ASSERT_EQ(shop.client.open.size(), 1U);
    EXPECT_EQ(shop.client.bodies.back(), "first");
  }
  EXPECT_EQ(shop.courier->counters().failures, failures.size());
  EXPECT_EQ(shop.courier->counters().last_error, "crypto: certificate");
  shop.client.answer(200);
  shop.scheduler.advance(milliseconds(20));
  EXPECT_EQ(shop.client.bodies.back(), "second");
  EXPECT_EQ(shop.courier->counters().last_error, "");
}

TEST(Courier, DeliversTheHeadAgainAfterARestart) {
  Shop shop;
  shop.target("http://till.lan/");
  shop.arrive(1, "first");
  shop.client.answer(500);
  shop.courier = shop.make();
  shop.target("http://till.lan/");
  EXPECT_EQ(shop.client.bodies, (std::vector<std::string>{"first", "first"}));
}

TEST(Courier, IgnoresAnAnswerThatComesAfterItHasGone) {
  Shop shop;
  shop.target("http://till.lan/");
  shop.arrive(1, "first");
  shop.courier.reset();
  shop.client.answer(200);
  EXPECT_EQ(shop.mailbox.waiting.size(), 1U);
}

TEST(Courier, StaysQuietInPollMode) {
  Shop shop;
  shop.arrive(1, "first");
  shop.scheduler.advance(hours(1));
  EXPECT_TRUE(shop.client.bodies.empty());
  shop.target("http://till.lan/");
  EXPECT_EQ(shop.client.bodies.size(), 1U) << "what was stored is served by the new mode";
  shop.client.answer(500);
  shop.target("");
  shop.scheduler.advance(hours(1));
  EXPECT_EQ(shop.client.bodies.size(), 1U);
}

TEST(Courier, TriesANewTargetAtOnce) {
  Shop shop;
  shop.target("http://old.lan/");
  shop.arrive(1, "first");
  shop.client.answer(500);
  shop.target("http://new.lan/");
  ASSERT_EQ(shop.client.open.size(), 1U);
  EXPECT_EQ(shop.client.open.front().request.url, "http://new.lan/");
}

TEST(Courier, DoesNotHoldAFailureOfTheOldTargetAgainstTheNewOne) {
  Shop shop;
  shop.target("http://old.lan/");
  shop.arrive(1, "first");
  shop.target("http://new.lan/");
  EXPECT_EQ(shop.client.open.size(), 1U) << "one at a time";
  shop.client.answer(fail(Errc::timeout, ""));
  ASSERT_EQ(shop.client.open.size(), 1U);
  EXPECT_EQ(shop.client.open.front().request.url, "http://new.lan/");
}

TEST(Courier, TriesAtOnceWhenTheNetworkIsBack) {
  Shop shop;
  shop.target("http://till.lan/");
  shop.arrive(1, "first");
  shop.client.answer(fail(Errc::not_found, "name"));
  shop.courier->retry_now();
  EXPECT_EQ(shop.client.open.size(), 1U);
  shop.courier->retry_now();
  EXPECT_EQ(shop.client.open.size(), 1U);
}

TEST(Courier, DropsKindsThatTheReceiverRefusesThreeTimes) {
  Shop shop;
  shop.target("http://till.lan/");
  shop.arrive(1, R"({"messageData":{"typeMessage":"editedMessage"}})");
  shop.arrive(2, "second");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(shop.mailbox.waiting.size(), 2U);
    shop.client.answer(422);
    shop.scheduler.advance(seconds(60));
  }
  EXPECT_EQ(shop.client.bodies.back(), "second");
  EXPECT_EQ(shop.courier->counters().dropped, 1U);
}

TEST(Courier, NeverDropsOtherKindsOrOtherRefusals) {
  const std::vector<std::pair<std::string, int>> cases = {
      {R"({"messageData":{"typeMessage":"textMessage"}})", 422},
      {R"({"messageData":{"typeMessage":"editedMessage"}})", 401},
      {R"({"messageData":{"typeMessage":"editedMessage"}})", 403},
      {R"({"messageData":{"typeMessage":"editedMessage"}})", 429},
      {R"({"messageData":{"typeMessage":"editedMessage"}})", 500},
      {"not json", 400}};
  for (const auto& [body, status] : cases) {
    Shop shop;
    shop.target("http://till.lan/");
    shop.arrive(1, body);
    for (int i = 0; i < 10; ++i) {
      shop.client.answer(status);
      shop.scheduler.advance(seconds(60));
    }
    EXPECT_EQ(shop.mailbox.waiting.size(), 1U) << body << status;
  }
}

TEST(Courier, WaitsWhenADeliveredNotificationCannotBeRemoved) {
  Shop shop;
  shop.target("http://till.lan/");
  shop.mailbox.failure = Error{Errc::io, "disk"};
  shop.arrive(1, "first");
  shop.client.answer(200);
  shop.scheduler.advance(seconds(59));
  EXPECT_EQ(shop.client.bodies.size(), 1U);
}

TEST(Courier, DoesNothingAfterStop) {
  Shop shop;
  shop.target("http://till.lan/");
  shop.courier->stop();
  shop.arrive(1, "first");
  shop.courier->set_target({"http://new.lan/", ""});
  EXPECT_TRUE(shop.client.bodies.empty());
}

}  // namespace
}  // namespace posthorn::webhooks
