#include "posthorn/cloud/official_account.h"

#include <gtest/gtest.h>

#include <deque>

#include "support/fakes.h"

namespace posthorn::cloud {
namespace {

/// Answers by what the address ends with.
class Answers final : public net::HttpClient {
 public:
  explicit Answers(Scheduler& scheduler) : scheduler_(scheduler) {}
  void send(net::HttpRequest request, Once<void(Result<net::HttpResponse>)> done) override {
    requests.push_back(request);
    const bool list = request.url.find("message_templates") != std::string::npos;
    auto& from = list ? pages : numbers;
    Result<net::HttpResponse> answer = fail(Errc::refused, "nobody");
    if (!from.empty()) {
      answer = from.front();
      if (from.size() > 1) from.pop_front();
    }
    scheduler_.post([done = std::move(done), answer]() mutable { done(answer); });
  }
  std::vector<net::HttpRequest> requests;
  std::deque<net::HttpResponse> numbers, pages;

 private:
  Scheduler& scheduler_;
};

struct Account : testing::Test {
  posthorn::test::FakeScheduler scheduler;
  Clock clock{scheduler, Wall::from_unix(1'767'225'600)};
  Answers http{scheduler};
  CloudConfig config;
  Account() {
    config.phone_number_id = "106540352242922";
    config.waba_id = "102290129340398";
    http.numbers = {{200, R"({"display_phone_number":"+49 1","quality_rating":"YELLOW",)"
                          R"("throughput":{"level":"STANDARD"}})"}};
    http.pages = {{200, R"({"data":[{"name":"receipt","language":"de","status":"APPROVED"}],)"
                        R"("paging":{"cursors":{"after":"A=1"},"next":"https://x"}})"},
                  {200, R"({"data":[{"name":"old","language":"de","status":"REJECTED"}]})"}};
  }
};

TEST_F(Account, IsReadDailyAndItsTemplatesByTheHour) {
  OfficialAccount account(config, "token", {scheduler, clock, http});
  EXPECT_TRUE(account.number_json().isNull());
  account.start();
  scheduler.advance(seconds(1));
  EXPECT_EQ(account.number_json()["qualityRating"].asString(), "YELLOW");
  EXPECT_EQ(account.templates_json()["known"].asUInt(), 2U);
  ASSERT_EQ(http.requests.size(), 3U);
  EXPECT_TRUE(http.requests[2].url.ends_with("&after=A%3D1"));
  EXPECT_EQ(http.requests[0].headers[0].second, "Bearer token");
  scheduler.advance(hours(3));
  EXPECT_EQ(http.requests.size(), 6U);
  scheduler.advance(hours(24));
  EXPECT_EQ(http.requests.size(), 6U + 24 + 1);
  account.stop();
}

TEST_F(Account, SaysWhichTemplateCannotBeUsed) {
  OfficialAccount account(config, "token", {scheduler, clock, http});
  account.start();
  scheduler.advance(seconds(1));
  EXPECT_EQ(account.trouble_with("receipt", "de"), "");
  EXPECT_EQ(account.trouble_with("made a minute ago", "de"), "");
  EXPECT_EQ(account.trouble_with("old", "de"), "the template old (de) is REJECTED at Meta");
}

// Meta's address of the next page has the whole question in it, and a token.
TEST_F(Account, ReadsOnHoweverLongTheAddressOfTheNextPageIs) {
  http.pages[0].body = R"({"data":[{"name":"receipt","language":"de","status":"APPROVED"}],)"
                       R"("paging":{"cursors":{"after":"A"},"next":"https://)" +
                       std::string(2000, 'x') + R"("}})";
  OfficialAccount account(config, "token", {scheduler, clock, http});
  account.start();
  scheduler.advance(seconds(1));
  EXPECT_EQ(account.templates_json()["known"].asUInt(), 2U);
}

// Pages that lead to themselves, and lists without an end.
TEST_F(Account, ReadsNoListForEver) {
  http.pages = {{200, R"({"data":[],"paging":{"cursors":{"after":"A"},"next":"x"}})"}};
  OfficialAccount account(config, "token", {scheduler, clock, http});
  account.start();
  scheduler.advance(seconds(1));
  EXPECT_EQ(http.requests.size(), 2U);
  http.pages = {{200, R"({"data":[{"name":"a"}],"paging":{"cursors":{"after":"A"},"next":"x"}})"}};
  account.read_templates();
  scheduler.advance(seconds(1));
  EXPECT_EQ(account.templates_json()["known"].asUInt(), OfficialAccount::kTemplates);
  EXPECT_EQ(account.templates_json()["list"].size(), 100U);
}

TEST_F(Account, ToldInWordsWhenItCannotBeRead) {
  http.numbers = {{401, R"({"error":{"code":190,"message":"(#190) expired"}})"}};
  http.pages = {{500, "<html>"}};
  OfficialAccount account(config, "secret-token", {scheduler, clock, http});
  account.start();
  std::string said;
  account.ask([&said](const Result<json::Value>& answer) { said = answer.error().detail; });
  scheduler.advance(seconds(1));
  EXPECT_EQ(said, "the official API answers 401: (#190) expired");
  EXPECT_EQ(account.templates_json()["error"].asString(), "the official API answers 500: no words");
  EXPECT_EQ(json::write(account.templates_json()).find("secret-token"), std::string::npos);
  const std::size_t before = http.requests.size();
  scheduler.advance(minutes(16));
  EXPECT_EQ(http.requests.size(), before + 2) << "tried again after a quarter of an hour";
  config.phone_number_id = "";
  OfficialAccount none(config, "", {scheduler, clock, http});
  none.ask([&said](const Result<json::Value>& answer) { said = answer.error().detail; });
  EXPECT_TRUE(said.starts_with("no official number is set up"));
}

}  // namespace
}  // namespace posthorn::cloud
