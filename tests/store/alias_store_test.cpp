#include "posthorn/store/alias_store.h"

#include <gtest/gtest.h>

#include "store/temporary_folder.h"

namespace posthorn::store {
namespace {

class AliasStoreTest : public ::testing::Test {
 protected:
  void open() {
    aliases_.reset();
    database_.reset();
    auto database = Database::open(folder_ / "aliases.db", {});
    ASSERT_TRUE(database);
    database_ = std::move(*database);
    auto aliases = AliasStore::open(*database_);
    ASSERT_TRUE(aliases);
    aliases_ = std::move(*aliases);
  }
  void SetUp() override { open(); }
  std::string find(const std::string& number) { return (*aliases_->find(number)).value_or("none"); }

  TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<AliasStore> aliases_;
};

TEST_F(AliasStoreTest, KeepsWhereANumberLedToAndTheNewestWins) {
  EXPECT_EQ(find("5511987650001"), "none");
  ASSERT_TRUE(aliases_->drop("5511987650001"));
  ASSERT_TRUE(aliases_->save("5511987650001", "551187650001@s.whatsapp.net"));
  ASSERT_TRUE(aliases_->save("5511987650001", "2@lid"));
  open();
  EXPECT_EQ(find("5511987650001"), "2@lid");
  EXPECT_EQ(find("551187650001"), "none");
  ASSERT_TRUE(aliases_->drop("5511987650001"));
  EXPECT_EQ(find("5511987650001"), "none");
}

TEST_F(AliasStoreTest, ForgetsTheOldestAndAllAtLogout) {
  auto transaction = database_->begin();
  ASSERT_TRUE(transaction);
  for (int i = 0; i < AliasStore::kMost + 10; ++i) {
    ASSERT_TRUE(aliases_->save(std::to_string(1'000'000 + i), "2@lid"));
  }
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(find("1000009"), "none");
  EXPECT_EQ(find("1000010"), "2@lid");
  ASSERT_TRUE(aliases_->clear());
  EXPECT_EQ(find("1000010"), "none");
  open();
  EXPECT_EQ(find("1000010"), "none");
}

}  // namespace
}  // namespace posthorn::store
