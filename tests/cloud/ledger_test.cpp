#include "posthorn/cloud/ledger.h"

#include <gtest/gtest.h>

#include "posthorn/cloud/media_ids.h"
#include "support/fakes.h"

namespace posthorn::cloud {
namespace {

struct Kept {
  posthorn::test::FakeScheduler scheduler;
  posthorn::test::MemoryBlobStore blobs{scheduler};
};

TEST(Ledger, RemembersTheNewestAndForgetsTheOldest) {
  Kept kept;
  Ledger ledger(kept.blobs, "test", 4);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(ledger.put(std::to_string(i), "v" + std::to_string(i)));
  }
  EXPECT_EQ(ledger.all().size(), 4 * Ledger::kBuckets);
  EXPECT_EQ(Ledger(kept.blobs, "test", 4).find("999"), "v999");
  EXPECT_EQ(ledger.find("0"), std::nullopt);
  ASSERT_TRUE(ledger.put("999", "other"));
  EXPECT_EQ(ledger.find("999"), "other");
  ASSERT_TRUE(ledger.erase("999"));
  EXPECT_EQ(ledger.find("999"), std::nullopt);
}

TEST(Ledger, ADamagedBucketCountsAsEmpty) {
  Kept kept;
  Ledger ledger(kept.blobs, "test", 4);
  ASSERT_TRUE(ledger.put("a", "b"));
  for (auto& [name, value] : kept.blobs.values) value = to_bytes("{]");
  EXPECT_EQ(ledger.find("a"), std::nullopt);
  ASSERT_TRUE(ledger.put("a", "c"));
  EXPECT_EQ(ledger.find("a"), "c");
}

TEST(MediaIds, TheSameFileOfTheSameHasTheSameId) {
  Kept kept;
  MediaIds media(kept.blobs);
  const MediaIds::Media cake{std::string(64, 'a'), "image/png", "cake.png", 123};
  const auto id = media.add(cake, "message 1");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->size(), 16U);
  EXPECT_EQ(media.add(cake, "message 1").value_or(""), *id);
  EXPECT_EQ(MediaIds(kept.blobs).find(*id), cake);
  ASSERT_TRUE(media.remove(*id));
  EXPECT_FALSE(media.find(*id));
}

}  // namespace
}  // namespace posthorn::cloud
