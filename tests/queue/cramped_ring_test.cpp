#include "queue/batch.h"
#include "queue/recover.h"
#include "queue/ring_fixture.h"

namespace posthorn::queue {
namespace {

using Strings = std::vector<std::string>;
using test::MemDisk;

/// A ring as several power cuts in the midst of moving leave it: an old entry at the tail and no
/// room to move it by the rules.
class CrampedRing : public RingTest {
 protected:
  void SetUp() override {
    options.bytes = 64 * 1024;
    open();
    ASSERT_TRUE(append("old"));
    ring.reset();
    geometry_ = geometry();
    auto file = disk.open(kPath);
    ASSERT_TRUE(file);
    BatchHeader header{
        .number = 1 << 20, .position = 1, .previous_end = 1, .tail = 0, .next_sequence = 2};
    while (geometry_.blocks() - header.position >= geometry_.reserve_blocks()) {
      Batch batch(geometry_, header);
      batch.add_acks(std::vector<Sequence>(300, 1000));  // of nothing that is there
      batch.finish();
      batch.write(**file);
      ASSERT_TRUE(batch.outcome());
      ++header.number;
      header.position += batch.header().blocks;
      header.previous_end = header.position;
    }
  }
  [[nodiscard]] Geometry geometry() {
    return *decode_superblock(ByteView(*disk.content(kPath)).first(kSuperblockBytes));
  }
  Geometry geometry_;
};

TEST_F(CrampedRing, MovesToAFreshFile) {
  open();
  EXPECT_NE(geometry().salt, geometry_.salt);
  EXPECT_EQ(ring->recovery().set_aside, "");
  EXPECT_EQ(ring->recovery().damaged, 0U);
  EXPECT_EQ(pending(), Strings{"old"});
  EXPECT_TRUE(append("new"));
}

TEST_F(CrampedRing, GoesOnInPlaceWhenTheDiskHasNoRoomForAnother) {
  disk.fault = [](MemDisk::Call call) -> std::optional<MemDisk::Fault> {
    if (call != MemDisk::Call::create) return std::nullopt;
    return MemDisk::Fault{Errc::full};
  };
  open();
  EXPECT_EQ(geometry().salt, geometry_.salt);
  EXPECT_EQ(pending(), Strings{"old"});
  EXPECT_TRUE(append("new"));  // behind a single small entry there is enough room after all
  cut_and_open();
  EXPECT_EQ(pending(), (Strings{"old", "new"}));
}

}  // namespace
}  // namespace posthorn::queue
