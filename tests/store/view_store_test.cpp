#include "posthorn/store/view_store.h"

#include <gtest/gtest.h>

#include "store/temporary_folder.h"

namespace posthorn::store {
namespace {

class ViewStoreTest : public ::testing::Test {
 protected:
  void open() {
    views_.reset();
    database_.reset();
    auto database = Database::open(folder_ / "views.db", {});
    ASSERT_TRUE(database);
    database_ = std::move(*database);
    auto views = ViewStore::open(*database_);
    ASSERT_TRUE(views);
    views_ = std::move(*views);
  }
  void SetUp() override { open(); }
  std::string shown(const std::string& id) {
    std::string out;
    const auto views = views_->views(id);
    EXPECT_TRUE(views);
    for (const auto& view : *views) {
      out +=
          view.user + (view.seen ? " saw it at " : " got it at ") + std::to_string(view.at) + ";";
    }
    return out;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<ViewStore> views_;
};

TEST_F(ViewStoreTest, SeeingCountsBeforeGettingWhateverComesFirst) {
  ASSERT_TRUE(views_->save("A", {"1@lid", false, 10}));
  ASSERT_TRUE(views_->save("A", {"2@lid", true, 20}));
  ASSERT_TRUE(views_->save("A", {"1@lid", true, 30}));
  ASSERT_TRUE(views_->save("A", {"2@lid", false, 40}));
  ASSERT_TRUE(views_->save("A", {"2@lid", true, 50}));
  ASSERT_TRUE(views_->save("B", {"1@lid", false, 60}));
  open();
  EXPECT_EQ(shown("A"), "1@lid saw it at 30;2@lid saw it at 20;");
  EXPECT_EQ(shown("B"), "1@lid got it at 60;");
  EXPECT_EQ(shown("C"), "");
  ASSERT_TRUE(views_->clear());
  EXPECT_EQ(shown("A"), "");
}

TEST_F(ViewStoreTest, TheOldestGoWhenThereAreTooMany) {
  for (int i = 0; i <= ViewStore::kMost; ++i) {
    ASSERT_TRUE(views_->save("A", {std::to_string(i), true, i}));
  }
  const auto views = views_->views("A");
  ASSERT_TRUE(views);
  EXPECT_EQ(views->size(), static_cast<std::size_t>(ViewStore::kMost));
  EXPECT_EQ(views->front().user, "1");
}

}  // namespace
}  // namespace posthorn::store
