#include "daemon/piece_file.h"

#include <gtest/gtest.h>

#include "support/fakes.h"
#include "support/folder.h"

namespace posthorn::daemon {
namespace {

class Pieces : public testing::Test {
 protected:
  Result<std::uint64_t> add(std::uint64_t offset, const std::string& piece) {
    Result<std::uint64_t> out = fail(Errc::cancelled, "no answer");
    file.add(offset, piece, [&out](Result<std::uint64_t> r) { out = std::move(r); });
    scheduler.run_posted();
    return out;
  }
  test::Folder folder;
  test::FakeScheduler scheduler;
  test::InlineWorker worker{scheduler};
  PieceFile file{worker, folder.at("file"), 10, 0};
};

TEST_F(Pieces, ComeInOrderAndBeginAnewAtZero) {
  EXPECT_EQ(*add(0, "abc"), 3U);
  EXPECT_EQ(*add(3, "def"), 6U);
  EXPECT_EQ(folder.get("file"), "abcdef");
  EXPECT_EQ(add(5, "x").error().detail, "offset must be 6");
  EXPECT_EQ(*add(0, "new"), 3U);
  EXPECT_EQ(folder.get("file"), "new");
}

TEST_F(Pieces, TheLimitHolds) {
  EXPECT_EQ(*add(0, "0123456789"), 10U);
  EXPECT_EQ(add(10, "x").error().code, Errc::full);
  EXPECT_EQ(add(0, "0123456789x").error().code, Errc::full);
}

TEST_F(Pieces, RoomForMessagesIsNotTaken) {
  PieceFile greedy(worker, folder.at("other"), 10, std::uint64_t{1} << 60);
  Errc code = Errc::cancelled;
  greedy.add(0, "x", [&code](Result<std::uint64_t> r) { code = r.error().code; });
  scheduler.run_posted();
  EXPECT_EQ(code, Errc::full);
}

TEST_F(Pieces, OneAtATime) {
  Errc code = Errc::cancelled;
  file.add(0, "abc", [](Result<std::uint64_t>) {});
  file.add(3, "def", [&code](Result<std::uint64_t> r) { code = r.error().code; });
  EXPECT_EQ(code, Errc::busy);
  scheduler.run_posted();
  EXPECT_EQ(file.received(), 3U);
}

TEST_F(Pieces, AreReadBackFromAnywhere) {
  ASSERT_TRUE(add(0, "abcdef").has_value());
  std::vector<std::string> read;
  for (const std::uint64_t offset : {0U, 4U, 6U, 60U}) {
    file.read(offset, 4, [&read](Result<std::string> r) { read.push_back(r ? *r : "error"); });
    scheduler.run_posted();
  }
  EXPECT_EQ(read, (std::vector<std::string>{"abcd", "ef", "", ""}));
  file.forget();
  EXPECT_FALSE(folder.has("file"));
}

}  // namespace
}  // namespace posthorn::daemon
