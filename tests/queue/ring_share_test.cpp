#include "queue/ring_fixture.h"

// Who keeps what when an inbox is full.

namespace posthorn::queue {
namespace {

constexpr Owner kFlood = 7;

class RingShareTest : public RingTest {
 protected:
  RingShareTest() {
    options.when_full = WhenFull::drop_oldest;
    open();
  }

  void add(Owner owner, std::size_t bytes, Worth worth = Worth::normal) {
    ring->append(Bytes(bytes), at, Label(worth, owner),
                 [](const Result<Sequence>& stored) { EXPECT_TRUE(stored); });
    scheduler.run_posted();
  }
  /// Pending entries of one owner.
  [[nodiscard]] std::size_t held_by(Owner owner) const {
    std::size_t count = 0;
    for (auto entry = ring->first(); entry; entry = ring->next(entry->sequence)) {
      if (entry->label.owner == owner) ++count;
    }
    return count;
  }
  [[nodiscard]] std::uint64_t capacity() const { return ring->status().capacity_bytes; }
};

TEST_F(RingShareTest, OneOwnerHasAtMostHalfOfTheRoom) {
  add(1, 500);
  for (std::uint64_t bytes = 0; bytes < 3 * capacity(); bytes += 1000) add(kFlood, 1000);
  EXPECT_EQ(held_by(1), 1U);
  EXPECT_LE(ring->status().used_bytes, capacity() / 2 + 600);
  EXPECT_GT(held_by(kFlood), 0U);
}

TEST_F(RingShareTest, WhoFillsMostGivesWayToTheOthers) {
  for (std::uint64_t bytes = 0; bytes < capacity() / 2; bytes += 1000) add(kFlood, 1000);
  const std::size_t flood = held_by(kFlood);
  std::size_t others = 0;
  for (Owner owner = 100; held_by(kFlood) == flood; ++owner, ++others) add(owner, 300);
  for (Owner owner = 500; owner < 510; ++owner) add(owner, 300);
  EXPECT_EQ(ring->status().pending, held_by(kFlood) + others + 10);
  EXPECT_LT(held_by(kFlood), flood);
}

TEST_F(RingShareTest, AmongEqualsTheOldestGoes) {
  for (Owner owner = 1; ring->status().dropped == 0; ++owner) add(owner, 300);
  EXPECT_EQ(held_by(1), 0U);
  EXPECT_EQ(held_by(2), 1U);
}

TEST_F(RingShareTest, ExpendableOnesGoBeforeAnybodysNews) {
  add(1, 500);
  for (std::uint64_t bytes = 0; bytes < capacity() / 2; bytes += 1000) add(kFlood, 1000);
  const std::size_t flood = held_by(kFlood);
  for (int i = 0; i < 100; ++i) add(static_cast<Owner>(200 + i), 300, Worth::expendable);
  add(9, 3000);
  EXPECT_EQ(held_by(1), 1U);
  EXPECT_EQ(held_by(kFlood), flood);
}

TEST_F(RingShareTest, OwnersAreKnownAfterARestartAndAfterMoving) {
  add(kFlood, 700);
  add(3, 100);
  open();
  EXPECT_EQ(held_by(kFlood), 1U);
  options.bytes *= 2;
  open();
  EXPECT_TRUE(ring->recovery().resized);
  EXPECT_EQ(held_by(kFlood), 1U);
  EXPECT_EQ(held_by(3), 1U);
}

}  // namespace
}  // namespace posthorn::queue
