#include "posthorn/webhooks/courier.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "posthorn/base/log.h"
#include "support/fakes.h"

namespace posthorn::webhooks {
namespace {

class FakeMailbox final : public Mailbox {
 public:
  [[nodiscard]] std::optional<Head> head(std::size_t ahead) override {
    if (waiting.size() <= ahead) return std::nullopt;
    const auto at = std::next(waiting.begin(), static_cast<std::ptrdiff_t>(ahead));
    return Head{at->first, at->second};
  }
  void set_aside(const Head& head, const Refusal& refusal, Once<void(Result<bool>)> done) override {
    aside.push_back({head.body, refusal.status});
    remove(head.receipt_id, std::move(done));
  }
  void remove(std::uint32_t id, Once<void(Result<bool>)> done) override {
    if (failure) return done(tl::unexpected(*failure));
    done(waiting.erase(id) == 1);
  }

  std::map<std::uint32_t, std::string> waiting;
  std::vector<std::pair<std::string, int>> aside;  ///< body, what the receiver answered
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
  Clock clock{scheduler, Wall::from_unix(1'790'000'000, true)};
  FakeMailbox mailbox;
  FakeClient client;
  std::unique_ptr<Courier> courier = make();

  std::unique_ptr<Courier> make() {
    return std::make_unique<Courier>(CourierOptions{},
                                     Courier::Outside{scheduler, clock, client, mailbox});
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
      net::HttpResponse{204, ""},       net::HttpResponse{401, ""},
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
  EXPECT_EQ(shop.courier->report().last, "crypto: certificate");
  shop.client.answer(200);
  shop.scheduler.advance(milliseconds(20));
  EXPECT_EQ(shop.client.bodies.back(), "second");
  EXPECT_FALSE(shop.courier->report().failing);
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

TEST(Courier, DoesNotWaitForTheOldTargetNorBelieveItsLateAnswer) {
  Shop shop;
  shop.target("http://old.lan/");
  shop.arrive(1, "first");
  shop.target("http://new.lan/");
  ASSERT_EQ(shop.client.open.size(), 2U);
  EXPECT_EQ(shop.client.open.back().request.url, "http://new.lan/");
  shop.client.answer(200);
  EXPECT_EQ(shop.mailbox.waiting.size(), 1U) << "the new one has not got it yet";
  shop.client.answer(200);
  EXPECT_TRUE(shop.mailbox.waiting.empty());
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

TEST(Courier, KindsThatReceiversAreKnownToRefuseStepAsideAfterThreeTimes) {
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
  EXPECT_EQ(shop.courier->counters().refused, 1U);
}

TEST(Courier, ANotificationThatIsRefusedFiveTimesStepsAsideAndTheNextOneComes) {
  Shop shop;
  shop.target("http://till.lan/");
  shop.arrive(1, R"({"messageData":{"typeMessage":"textMessage"}})");
  shop.arrive(2, "second");
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(shop.mailbox.aside.empty());
    shop.client.answer(net::HttpResponse{400, "bad participant"});
    shop.scheduler.advance(seconds(60));
  }
  ASSERT_EQ(shop.mailbox.aside.size(), 1U);
  EXPECT_EQ(shop.mailbox.aside[0].second, 400);
  EXPECT_EQ(shop.client.bodies.back(), "second");
}

TEST(Courier, AFaultOfTheReceiverIsHeldAgainstOneNotificationOnlyWhenALaterOneIsTaken) {
  Shop shop;
  shop.target("http://till.lan/");
  for (std::uint32_t id = 1; id <= 4; ++id) shop.arrive(id, std::to_string(id));
  const auto refuse_five_times = [&] {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(shop.client.bodies.back(), "1");
      shop.client.answer(500);
      shop.scheduler.advance(i < 4 ? milliseconds(60'000) : milliseconds(20));
    }
  };
  refuse_five_times();
  EXPECT_EQ(shop.client.bodies.back(), "2");
  shop.client.answer(500);
  shop.scheduler.advance(seconds(60));
  EXPECT_TRUE(shop.mailbox.aside.empty()) << "everything fails: it is the receiver";
  refuse_five_times();
  EXPECT_EQ(shop.client.bodies.back(), "3") << "another one, the second may be as bad as the first";
  shop.client.answer(200);
  shop.scheduler.advance(milliseconds(20));
  ASSERT_EQ(shop.mailbox.aside.size(), 1U);
  EXPECT_EQ(shop.mailbox.aside[0].first, "1");
  EXPECT_EQ(shop.client.bodies.back(), "2");
  shop.client.answer(200);
  shop.scheduler.advance(milliseconds(20));
  EXPECT_EQ(shop.client.bodies.back(), "4");
}

TEST(Courier, NothingStepsAsideForWhatIsNotItsFault) {
  for (const int status : {201, 204, 302, 401, 403, 404, 429, 500, 503}) {
    Shop shop;
    shop.target("http://till.lan/");
    shop.arrive(1, R"({"messageData":{"typeMessage":"textMessage"}})");
    shop.arrive(2, "second");
    for (int i = 0; i < 40; ++i) {
      ASSERT_EQ(shop.client.open.size(), 1U);
      shop.client.answer(status);
      shop.scheduler.advance(seconds(60));
    }
    EXPECT_EQ(shop.mailbox.waiting.size(), 2U) << status;
  }
}

TEST(Courier, TellsHowItGoesAndWhatToDo) {
  static std::vector<std::string> lines;
  lines.clear();
  log::set_sink([](log::Level, std::string_view line) { lines.emplace_back(line); });
  Shop shop;
  shop.target("http://user:secret@till.lan:81/hook?key=secret");
  shop.arrive(1, "first");
  shop.client.answer(204);
  shop.scheduler.advance(seconds(60));
  shop.client.answer(204);
  shop.scheduler.advance(seconds(60));
  Courier::Report report = shop.courier->report();
  EXPECT_TRUE(report.failing);
  EXPECT_EQ(report.last, "answers 204");
  EXPECT_NE(report.what_to_do.find("answer 200"), std::string::npos);
  EXPECT_EQ(report.failures_in_a_row, 2U);
  EXPECT_EQ(lines.size(), 1U) << "one line for each change";
  EXPECT_NE(lines[0].find("http://till.lan:81"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[0].find("secret"), std::string::npos) << lines[0];
  shop.client.answer(fail(Errc::crypto, "certificate"));
  shop.scheduler.advance(seconds(60));
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[1].find("webhookUrlPinnedKey"), std::string::npos) << lines[1];
  shop.client.answer(200);
  report = shop.courier->report();
  EXPECT_FALSE(report.failing);
  EXPECT_TRUE(report.last_delivery);
  EXPECT_EQ(lines.size(), 3U);
  log::set_sink(nullptr);
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

TEST(Courier, ATestGoesBesideTheQueueAndSaysWhatCameOfIt) {
  Shop shop;
  std::vector<std::string> said;
  const auto test = [&] {
    shop.courier->test("{}", [&](const Result<void>& taken) {
      said.push_back(taken ? "taken" : taken.error().detail);
    });
  };
  test();
  EXPECT_EQ(said, std::vector<std::string>{"no webhook is set"});
  shop.courier->set_target({"http://till.lan/hook", "secret"});
  test();
  ASSERT_EQ(shop.client.open.size(), 1U);
  EXPECT_EQ(shop.client.open.front().request.url, "http://till.lan/hook");
  EXPECT_EQ(shop.client.open.front().request.headers.back().second, "Bearer secret");
  test();
  EXPECT_EQ(said.back(), "a test is under way");
  shop.client.answer(200);
  EXPECT_EQ(said.back(), "taken");
  test();
  shop.client.answer(404);
  EXPECT_NE(said.back().find("404"), std::string::npos) << said.back();
  const auto& answers = shop.courier->report().answers;
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_TRUE(answers[0].taken && answers[0].test);
  EXPECT_FALSE(answers[1].taken);
  // It is no delivery.
  EXPECT_FALSE(shop.courier->report().failing);
  EXPECT_EQ(shop.courier->counters().delivered, 0U);
}

TEST(Courier, KeepsTheNewestTenAnswers) {
  Shop shop;
  shop.courier->set_target({"http://till.lan/hook", ""});
  for (int i = 0; i < 12; ++i) {
    shop.courier->test("{}", [](const Result<void>&) {});
    shop.client.answer(i < 11 ? 200 : 500);
  }
  const auto& answers = shop.courier->report().answers;
  ASSERT_EQ(answers.size(), Courier::kAnswersKept);
  EXPECT_FALSE(answers.back().taken);
  shop.courier->set_target({"http://other.lan/hook", ""});
  EXPECT_TRUE(shop.courier->report().answers.empty());
}

TEST(Courier, ATestWhoseAnswerComesTooLateHurtsNobody) {
  Shop shop;
  shop.courier->set_target({"http://till.lan/hook", ""});
  Result<void> said;
  shop.courier->test("{}", [&](Result<void> taken) { said = std::move(taken); });
  shop.courier.reset();
  shop.client.answer(200);
  EXPECT_EQ(said.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace posthorn::webhooks
