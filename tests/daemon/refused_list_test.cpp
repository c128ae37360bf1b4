#include "daemon/refused_list.h"

#include <gtest/gtest.h>

#include "support/fakes.h"

namespace posthorn::daemon {
namespace {

struct Kept {
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs{scheduler};
  Clock clock{scheduler, Wall::from_unix(1'790'000'000, true)};
  RefusedList list{blobs, clock};

  bool add(std::uint32_t id, const std::string& body) {
    bool kept = false;
    list.add({id, body}, {.status = 422, .answer = "no", .times = 5},
             [&](const Result<void>& done) { kept = done.has_value(); });
    scheduler.run_posted();
    return kept;
  }
};

TEST(RefusedList, TellsWhatWasRefusedAndHow) {
  Kept kept;
  EXPECT_EQ((*kept.list.list())["total"].asInt(), 0);
  EXPECT_TRUE(kept.add(7, R"({"typeWebhook":"incomingMessageReceived"})"));
  const json::Value all = *RefusedList(kept.blobs, kept.clock).list();
  EXPECT_EQ(all["total"].asInt(), 1);
  const json::Value& row = all["notifications"][0];
  EXPECT_EQ(row["receiptId"].asInt(), 7);
  EXPECT_EQ(row["refusedAt"].asInt64(), kept.clock.now().unix_seconds());
  EXPECT_EQ(row["status"].asInt(), 422);
  EXPECT_EQ(row["answer"].asString(), "no");
  EXPECT_EQ(row["body"]["typeWebhook"].asString(), "incomingMessageReceived");
}

TEST(RefusedList, IsBoundedInNumberAndInBytes) {
  Kept kept;
  for (std::uint32_t id = 1; id <= RefusedList::kKept + 10; ++id) EXPECT_TRUE(kept.add(id, "{}"));
  EXPECT_EQ((*kept.list.list())["notifications"].size(), RefusedList::kKept);
  EXPECT_EQ((*kept.list.list())["notifications"][0]["receiptId"].asInt(), 11);
  for (std::uint32_t id = 100; id < 110; ++id) {
    EXPECT_TRUE(kept.add(id, "\"" + std::string(200'000, 'x') + "\""));
  }
  EXPECT_LE(kept.blobs.values.begin()->second.size(), RefusedList::kKeptBytes + 1000);
  EXPECT_EQ((*kept.list.list())["notifications"].size(), 2U);
  EXPECT_EQ((*kept.list.list())["total"].asInt(), 70);
}

TEST(RefusedList, KeepsWhoseReceiverRefused) {
  Kept kept;
  EXPECT_TRUE(kept.add(1, "{}"));
  kept.list.add(
      {2, R"({"object":"whatsapp_business_account"})"}, {.status = 400, .answer = "", .times = 5},
      [](const Result<void>& done) { EXPECT_TRUE(done); }, RefusedList::kCloud);
  kept.scheduler.run_posted();
  const json::Value rows = (*kept.list.list())["notifications"];
  EXPECT_EQ(rows[0]["receiver"].asString(), "webhook");
  EXPECT_EQ(rows[1]["receiver"].asString(), "cloud");
  EXPECT_EQ(kept.list.count(RefusedList::kCloud).value_or(0), 1U);
  kept.list.remove({{1, "{}"}}, [](const Result<void>&) {});
  kept.scheduler.run_posted();
  ASSERT_EQ((*kept.list.list())["notifications"].size(), 1U);
}

TEST(RefusedList, LeavesOutADamagedRow) {
  Kept kept;
  EXPECT_TRUE(kept.add(1, "{}"));
  kept.blobs.values.begin()->second = to_bytes(
      R"({"total":9223372036854775807,"notifications":[7,"x",{"receiptId":1,"body":"{}"}]})");
  EXPECT_EQ((*kept.list.list())["notifications"].size(), 1U);
  EXPECT_TRUE(kept.add(2, "{}"));
  EXPECT_EQ((*kept.list.list())["notifications"].size(), 2U);
}

TEST(RefusedList, IsEmptiedAndSurvivesDamage) {
  Kept kept;
  EXPECT_TRUE(kept.add(1, "{}"));
  kept.list.clear([](const Result<void>& done) { EXPECT_TRUE(done); });
  kept.scheduler.run_posted();
  EXPECT_EQ((*kept.list.list())["notifications"].size(), 0U);
  EXPECT_EQ((*kept.list.list())["total"].asInt(), 1);
  kept.blobs.values.begin()->second = to_bytes("{\"notifications\":3");
  EXPECT_EQ((*kept.list.list())["notifications"].size(), 0U);
  EXPECT_TRUE(kept.add(2, "{}"));
}

}  // namespace
}  // namespace posthorn::daemon
