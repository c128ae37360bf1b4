#include "daemon/inbox.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn::daemon {
namespace {

using Kind = api::NotificationKind;

class InboxTest : public ::testing::Test {
 protected:
  InboxTest() {
    queue::RingFile::Options options;
    options.path = "inbox.ring";
    options.bytes = 256 * 1024;
    options.when_full = queue::WhenFull::drop_oldest;
    ring_ = std::move(*queue::RingFile::open(disk_, scheduler_, worker_, random_, options));
    inbox_ = std::make_unique<Inbox>(*ring_, scheduler_, clock_, hours(24));
  }

  void append(const std::string& body, Kind kind, const std::string& chat = "") {
    post(body, kind, chat);
    scheduler_.run_posted();
  }
  /// In the same turn of the loop as what comes next.
  void post(const std::string& body, Kind kind, const std::string& chat) {
    inbox_->append({body, kind, chat}, [this, body](Result<void> stored) {
      (stored ? stored_ : refused_).push_back(body);
    });
  }
  std::vector<std::string> on_disk() {
    std::vector<std::string> all;
    EXPECT_TRUE(ring_->for_each_pending(
        [&](const queue::Entry&, ByteView body) { all.push_back(to_string(body)); }));
    return all;
  }

  using Bodies = std::vector<std::string>;
  test::MemDisk disk_;
  test::FakeScheduler scheduler_;
  test::InlineWorker worker_{scheduler_};
  test::SeededRandom random_{1};
  Clock clock_{scheduler_, Wall::from_unix(1'790'000'000, true)};
  std::unique_ptr<queue::RingFile> ring_;
  std::unique_ptr<Inbox> inbox_;
  Bodies stored_;
  Bodies refused_;
};

TEST_F(InboxTest, StatusesWaitAMomentAndShareOneSync) {
  const std::uint64_t before = disk_.counters.syncs;
  append("sent 1", Kind::status);
  append("delivered 1", Kind::status);
  append("sent 2", Kind::status);
  EXPECT_TRUE(stored_.empty());
  scheduler_.advance(Inbox::kStatusDelay);
  EXPECT_EQ(stored_, (Bodies{"sent 1", "delivered 1", "sent 2"}));
  EXPECT_EQ(disk_.counters.syncs, before + 1);
  ASSERT_TRUE(inbox_->head());
  EXPECT_EQ(inbox_->head()->body, "sent 1");
  append("read 1", Kind::status);
  scheduler_.advance(Inbox::kStatusDelay);
  EXPECT_EQ(stored_.size(), 4U);
}

TEST_F(InboxTest, AMessageDoesNotWaitAndTakesTheStatusesBeforeItAlong) {
  append("sent 1", Kind::status);
  append("a question", Kind::message);
  EXPECT_EQ(on_disk(), (Bodies{"sent 1", "a question"}));
  EXPECT_EQ(stored_, (Bodies{"sent 1", "a question"}));
  append("sent 2", Kind::status);
  append("yellowCard", Kind::state);
  EXPECT_EQ(on_disk(), (Bodies{"sent 1", "a question", "sent 2", "yellowCard"}));
}

TEST_F(InboxTest, ABurstOfOneChatPushesOutNobodyElsesNews) {
  for (int i = 0; i < 10; ++i) {
    append("news " + std::to_string(i), Kind::message, std::to_string(i) + "@c.us");
  }
  for (int i = 0; i < 52; ++i) post(std::string(10'000, 'x'), Kind::message, "flood@c.us");
  scheduler_.advance(seconds(1));
  EXPECT_EQ(stored_.size(), 62U) << "all are confirmed: what has no room goes without coming again";
  const Bodies kept = on_disk();
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(std::find(kept.begin(), kept.end(), "news " + std::to_string(i)), kept.end()) << i;
  }
  append("order", Kind::message, "customer@c.us");
  EXPECT_EQ(on_disk().back(), "order");
}

TEST_F(InboxTest, LooksAFewAhead) {
  for (const char* body : {"a", "b", "c"}) append(body, Kind::message);
  ASSERT_TRUE(inbox_->head(2));
  EXPECT_EQ(inbox_->head(2)->body, "c");
  EXPECT_FALSE(inbox_->head(3));
  bool removed = false;
  inbox_->remove(inbox_->head(1)->receipt_id, [&](Result<bool> done) { removed = *done; });
  EXPECT_TRUE(removed);
  EXPECT_EQ(inbox_->head(0)->body, "a");
  EXPECT_EQ(inbox_->head(1)->body, "c");
}

TEST_F(InboxTest, WhatCameBeforeAnybodyKnewTheTimeIsNotTakenForOldWhenItIsTold) {
  append("in the dark", Kind::message);
  const auto told = clock_.now() + hours(30);
  for (int twice = 0; twice < 2; ++twice) clock_.on_server_time(told.unix_seconds());
  ASSERT_GE(clock_.now(), told);
  append("by the right time", Kind::message);
  scheduler_.advance(minutes(10));
  EXPECT_EQ(on_disk(), (Bodies{"in the dark", "by the right time"}));
  scheduler_.advance(hours(24));
  EXPECT_EQ(on_disk(), Bodies{"in the dark"});
}

TEST_F(InboxTest, AnswersWhatStillWaitsAtTheEnd) {
  append("sent 1", Kind::status);
  inbox_.reset();
  EXPECT_EQ(refused_, Bodies{"sent 1"});
  EXPECT_TRUE(on_disk().empty());
}

}  // namespace
}  // namespace posthorn::daemon
