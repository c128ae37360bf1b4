#include "cloud/transport_desk.h"

namespace posthorn::cloud {
namespace {

TEST(Prices, CountEachMessageOnceByMonth) {
  posthorn::test::FakeScheduler scheduler;
  posthorn::test::MemoryBlobStore blobs{scheduler};
  CloudConfig config;
  config.price_utility = 34;
  config.currency = "USD";
  Prices prices(blobs, config);
  const auto pricing = [](const char* category, const char* type) {
    json::Value out;
    out["category"] = category;
    out["type"] = type;
    return out;
  };
  const std::int64_t november = 1'795'000'000;
  prices.add("wamid.1", pricing("utility", "regular"), november);
  prices.add("wamid.1", pricing("utility", "regular"), november);
  prices.add("wamid.2", pricing("utility", "regular"), november);
  prices.add("wamid.3", pricing("service", "free_customer_service"), november);
  prices.add("wamid.4", json::Value(), november);
  const json::Value shown = Prices(blobs, config).month_json(november, true);
  EXPECT_EQ(shown["month"].asString(), "2026-11");
  EXPECT_EQ(shown["service"].asUInt(), 1U);
  EXPECT_DOUBLE_EQ(shown["cost"].asDouble(), 0.068);
  prices.add("wamid.5", pricing("marketing", "regular"), november);
  EXPECT_TRUE(prices.month_json(november, true)["cost"].isNull()) << "its price is not known";
  EXPECT_EQ(prices.month_json(november + 86400 * 40, true)["service"].asUInt(), 0U);
}

TEST(Prices, LeaveOutADamagedKind) {
  posthorn::test::FakeScheduler scheduler;
  posthorn::test::MemoryBlobStore blobs{scheduler};
  blobs.values["cloud/prices"] = to_bytes(R"({"2026-11":{"utility":3,"utility/regular":2},"x":1})");
  const json::Value shown = Prices(blobs, CloudConfig{}).month_json(1'795'000'000, true);
  ASSERT_EQ(shown["messages"].size(), 1U);
  EXPECT_EQ(shown["messages"][0]["count"].asUInt(), 2U);
}

}  // namespace
}  // namespace posthorn::cloud
