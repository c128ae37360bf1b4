#include "daemon/webhook_api.h"

#include <gtest/gtest.h>

#include "daemon/inbox_mailbox.h"
#include "posthorn/base/json.h"
#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn::daemon {
namespace {

/// No receiver is asked anything.
struct NoClient final : net::HttpClient {
  void send(net::HttpRequest, Once<void(Result<net::HttpResponse>)> done) override {
    done(fail(Errc::refused, "there is no receiver"));
  }
};

/// Nothing is on disk before the loop turns: what is called before run_posted() comes while a sync
/// is under way.
class RetryRefused : public ::testing::Test {
 protected:
  RetryRefused() {
    queue::RingFile::Options options;
    options.path = "inbox.ring";
    options.bytes = 256 * 1024;
    ring_ = std::move(*queue::RingFile::open(disk_, scheduler_, worker_, random_, options));
    inbox_ = std::make_unique<Inbox>(*ring_, scheduler_, clock_, hours(24));
    mailbox_ = std::make_unique<InboxMailbox>(*inbox_, refused_);
    courier_ = std::make_unique<webhooks::Courier>(
        webhooks::CourierOptions{},
        webhooks::Courier::Outside{scheduler_, clock_, client_, *mailbox_});
    routes_ = webhook_routes(*courier_, *inbox_, refused_, [] { return "{}"; });
  }

  void step_aside(std::uint32_t id, const std::string& body) {
    refused_.add({id, body}, {.status = 422, .answer = "no", .times = 5},
                 [](const Result<void>& kept) { EXPECT_TRUE(kept); });
  }
  /// Status 0: not answered yet.
  std::shared_ptr<api::Response> retry() {
    auto answer = std::make_shared<api::Response>();
    answer->status = 0;
    for (const api::Route& route : routes_) {
      if (route.name != "retryRefusedNotifications") continue;
      route.handler({{},
                     json::Value(::Json::objectValue),
                     "",
                     Wall{},
                     api::Reply([answer](api::Response got) { *answer = std::move(got); })});
    }
    return answer;
  }
  using Bodies = std::vector<std::string>;
  Bodies queued() {
    Bodies all;
    EXPECT_TRUE(ring_->for_each_pending(
        [&](const queue::Entry&, ByteView body) { all.push_back(to_string(body)); }));
    return all;
  }
  std::vector<int> listed() {
    const json::Value all = *refused_.list();
    std::vector<int> ids;
    for (const json::Value& row : all["notifications"]) {
      ids.push_back(row["receiptId"].asInt());
    }
    return ids;
  }

  test::MemDisk disk_;
  test::FakeScheduler scheduler_;
  test::InlineWorker worker_{scheduler_};
  test::SeededRandom random_{1};
  test::MemoryBlobStore blobs_{scheduler_};
  Clock clock_{scheduler_, Wall::from_unix(1'790'000'000, true)};
  NoClient client_;
  RefusedList refused_{blobs_, clock_};
  std::unique_ptr<queue::RingFile> ring_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<InboxMailbox> mailbox_;
  std::unique_ptr<webhooks::Courier> courier_;
  std::vector<api::Route> routes_;
};

TEST_F(RetryRefused, WhatStepsAsideMeanwhileStaysListed) {
  step_aside(1, "first");
  step_aside(2, "second");
  const auto answer = retry();
  EXPECT_EQ(answer->status, 0);
  step_aside(3, "meanwhile");
  scheduler_.run_posted();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, R"({"count":2})");
  EXPECT_EQ(queued(), (Bodies{"first", "second"}));
  EXPECT_EQ(listed(), std::vector<int>{3});
}

TEST_F(RetryRefused, ASecondOneIsRefusedUntilTheFirstIsDone) {
  step_aside(1, "first");
  const auto answer = retry();
  const auto second = retry();
  EXPECT_EQ(second->status, 409);
  EXPECT_NE(second->body.find("under way"), std::string::npos) << second->body;
  scheduler_.run_posted();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(queued(), Bodies{"first"});
  EXPECT_EQ(retry()->body, R"({"count":0})");
}

TEST_F(RetryRefused, OnlyWhatTheQueueDidNotTakeIsTriedAgain) {
  step_aside(1, "first");
  step_aside(2, std::string(ring_->max_payload() + 1, 'x'));
  step_aside(3, "third");
  for (int times = 0; times < 2; ++times) {
    const auto answer = retry();
    scheduler_.run_posted();
    EXPECT_EQ(answer->status, 400) << answer->body;
    EXPECT_EQ(queued(), (Bodies{"first", "third"}));
    EXPECT_EQ(listed(), std::vector<int>{2});
  }
}

TEST_F(RetryRefused, AReceiptIdThatANewRingGaveAgainIsAnotherNotification) {
  step_aside(1, "of this ring");
  const auto answer = retry();
  step_aside(1, "of another ring");
  scheduler_.run_posted();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ((*refused_.list())["notifications"][0]["body"].asString(), "of another ring");
}

TEST_F(RetryRefused, ThoseOfTheCloudApisFormGoToTheirReceiverAndStayListedUntilItHasThem) {
  refused_.add(
      {2, "cloud"}, {.status = 400, .answer = "no", .times = 5},
      [](const Result<void>& kept) { EXPECT_TRUE(kept); }, RefusedList::kCloud);
  EXPECT_EQ(retry()->body, R"({"count":0})") << "there is no receiver";
  Bodies again;
  refused_.on_retry([&again](const std::vector<webhooks::Mailbox::Head>& heads) {
    for (const auto& head : heads) again.push_back(head.body);
    return heads.size();
  });
  EXPECT_EQ(retry()->body, R"({"count":1})");
  scheduler_.run_posted();
  EXPECT_EQ(again, Bodies{"cloud"});
  EXPECT_EQ(queued(), Bodies{}) << "not the till's";
  EXPECT_EQ(listed(), std::vector<int>{2});
  refused_.remove({{2, "cloud"}}, [](const Result<void>&) {});
  scheduler_.run_posted();
  EXPECT_EQ(listed(), std::vector<int>{});
}

}  // namespace
}  // namespace posthorn::daemon
