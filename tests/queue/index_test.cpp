#include "queue/index.h"

#include <gtest/gtest.h>

namespace posthorn::queue {
namespace {

Index::Slot slot(Sequence sequence, std::uint64_t position, Worth worth = Worth::normal) {
  RecordHeader header{.length = 100, .label = worth, .sequence = sequence};
  return Index::make_slot(header, {position, 64});
}

TEST(Index, KnowsWhereTheOldestPlaceIs) {
  Index index;
  EXPECT_EQ(index.tail(9), 9U);
  EXPECT_EQ(index.last(), nullptr);
  for (Sequence s = 1; s <= 5; ++s) index.add(slot(s, 10 * s));
  EXPECT_EQ(index.tail(99), 10U);
  index.move(1, {60, 64});
  EXPECT_EQ(index.tail(99), 20U);
  index.move(2, {61, 64});
  index.move(1, {70, 64});  // once more
  EXPECT_TRUE(index.erase(3));
  EXPECT_FALSE(index.erase(3));
  EXPECT_FALSE(index.erase(6));
  EXPECT_EQ(index.tail(99), 40U);
  EXPECT_TRUE(index.erase(4));
  EXPECT_TRUE(index.erase(5));
  EXPECT_EQ(index.tail(99), 61U);
  EXPECT_EQ(index.at_or_behind({62, 0})->sequence, 1U);
  EXPECT_EQ(index.at_or_behind({71, 0}), nullptr);
}

TEST(Index, IgnoresMovesOfWhatIsGone) {
  Index index;
  for (Sequence s = 1; s <= 3; ++s) index.add(slot(s, 10 * s));
  index.erase(2);
  index.move(2, {50, 64});
  index.move(7, {51, 64});
  EXPECT_EQ(index.find(2), nullptr);
  EXPECT_EQ(index.find(0), nullptr);
  EXPECT_EQ(index.after(1)->sequence, 3U);
  EXPECT_EQ(index.after(3), nullptr);
  EXPECT_EQ(index.size(), 2U);
  EXPECT_EQ(index.bytes(), 2 * record_bytes(100));
}

TEST(Index, DoesNotGrowBehindOneThatStays) {
  Index index;
  index.add(slot(1, 1));
  for (Sequence s = 2; s <= 100'000; ++s) {
    index.add(slot(s, s));
    if (s > 2) index.erase(s - 1);
  }
  EXPECT_EQ(index.size(), 2U);
  EXPECT_EQ(index.first()->sequence, 1U);
  EXPECT_EQ(index.last()->sequence, 100'000U);
}

TEST(Index, FindsTheOldestExpendable) {
  Index index;
  index.add(slot(1, 1));
  EXPECT_EQ(index.first_expendable(), nullptr);
  for (Sequence s = 2; s < 6; ++s) index.add(slot(s, s, Worth::expendable));
  EXPECT_EQ(index.first_expendable()->sequence, 2U);
  index.erase(2);
  EXPECT_EQ(index.first_expendable()->sequence, 3U);
}

}  // namespace
}  // namespace posthorn::queue
