#include "daemon/backup_file.h"

#include <gtest/gtest.h>

#include "daemon/restore.h"
#include "support/fakes.h"
#include "support/folder.h"

namespace posthorn::daemon {
namespace {

const std::string kPassphrase = "correct horse battery";
/// Quick, for a test.
constexpr std::uint32_t kFewRounds = 3;

class BackupFile : public testing::Test {
 protected:
  void seal(const std::string& plain) {
    folder.put("plain", plain);
    const auto sealed = seal_file(folder.at("plain"), folder.at("backup"), kPassphrase,
                                  test::SeededRandom(7).bytes(kBackupSalt), kFewRounds);
    ASSERT_TRUE(sealed.has_value()) << sealed.error().detail;
  }
  Result<void> open(const std::string& passphrase = kPassphrase) {
    return open_sealed_file(folder.at("backup"), folder.at("opened"), passphrase);
  }
  void change(const std::function<void(std::string&)>& how) {
    std::string bytes = folder.get("backup");
    how(bytes);
    folder.put("backup", bytes);
  }
  test::Folder folder;
};

TEST_F(BackupFile, OpensToWhatWasSealedAtEverySizeAroundAPiece) {
  for (const std::size_t size : {0U, 1U, 65535U, 65536U, 65537U, 131072U, 200000U}) {
    std::string plain(size, 'x');
    for (std::size_t i = 0; i < size; ++i) plain[i] = static_cast<char>(i * 31 >> 3);
    seal(plain);
    ASSERT_TRUE(open().has_value()) << size;
    EXPECT_EQ(folder.get("opened"), plain) << size;
  }
}

TEST_F(BackupFile, ShowsNothingOfWhatItHolds) {
  seal("a very particular secret " + std::string(100000, 'y'));
  EXPECT_EQ(folder.get("backup").find("particular"), std::string::npos);
  EXPECT_EQ(folder.get("backup").find(kPassphrase), std::string::npos);
}

TEST_F(BackupFile, AnotherPassphraseOpensNothing) {
  seal("secret");
  EXPECT_EQ(open("correct horse batterz").error().code, Errc::crypto);
  EXPECT_EQ(seal_file(folder.at("plain"), folder.at("b"), "short", Bytes(kBackupSalt)).error().code,
            Errc::malformed);
}

TEST_F(BackupFile, EveryChangedByteIsNoticed) {
  seal("short secret");
  const std::size_t size = folder.get("backup").size();
  for (std::size_t i = 0; i < size; ++i) {
    change([i](std::string& bytes) { bytes[i] = static_cast<char>(bytes[i] ^ 1); });
    EXPECT_FALSE(open().has_value()) << i;
    change([i](std::string& bytes) { bytes[i] = static_cast<char>(bytes[i] ^ 1); });
  }
}

TEST_F(BackupFile, PiecesThatAreLeftOutExchangedOrCutOffAreNoticed) {
  seal(std::string(3 * 65536, 'z'));
  const std::string whole = folder.get("backup");
  const std::size_t piece = 5 + 65536 + 16;
  change([&](std::string& bytes) { bytes.erase(36, piece); });
  EXPECT_EQ(open().error().code, Errc::crypto);
  folder.put("backup", whole.substr(0, 36 + 2 * piece));
  EXPECT_EQ(open().error().code, Errc::malformed);
  folder.put("backup", whole.substr(0, whole.size() - 1));
  EXPECT_EQ(open().error().code, Errc::malformed);
  folder.put("backup", whole + "x");
  EXPECT_EQ(open().error().code, Errc::malformed);
  folder.put("backup", "PK and something else that is no backup at all");
  EXPECT_EQ(open().error().detail, "this is no backup of a Posthorn");
}

/// What a later release may write: one minor ahead has more in its header; a major is refused.
TEST_F(BackupFile, ALaterMajorIsRefusedWithWordsThatSayWhatToDo) {
  seal("secret");
  change([](std::string& bytes) { bytes[8] = 2; });
  const auto refused = open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().detail.find("update this box first"), std::string::npos);
}

TEST_F(BackupFile, HeaderFieldsOfALaterMinorAreSkipped) {
  // A header that is 4 bytes longer, with a piece that was bound to it, cannot be made by this
  // release: so only how far the reader comes is seen. With the size told wrong it would read the
  // piece's length out of the new field, and say "damaged"; so it reaches the tag.
  seal("secret");
  change([](std::string& bytes) {
    bytes[10] = 1;
    bytes[12] = 40;
    bytes.insert(36, "new!");
  });
  EXPECT_EQ(open().error().code, Errc::crypto);
}

TEST(Restore, ReplacesTheDatabaseOnceAndSurvivesACutAtEachStep) {
  const test::Folder folder;
  const std::string data = folder.path.string();
  folder.put("posthorn.db", "old");
  folder.put("posthorn.db-wal", "old wal");
  folder.put("incoming/restore.db", "new");
  ASSERT_TRUE(request_restore(data, folder.at("incoming/restore.db")).has_value());
  // A cut after the WAL went.
  std::filesystem::remove(folder.path / "posthorn.db-wal");
  EXPECT_EQ(*finish_restore(data), true);
  EXPECT_EQ(folder.get("posthorn.db"), "new");
  EXPECT_FALSE(folder.has("posthorn.db-wal"));
  EXPECT_EQ(*finish_restore(data), false);
  // A cut after the rename, before the request was forgotten: not the other way round.
  folder.put("restore-request", "restore\n");
  EXPECT_EQ(*finish_restore(data), true);
  EXPECT_EQ(folder.get("posthorn.db"), "new");
  // A cut before the request: what waits is no longer wanted.
  folder.put("posthorn.db.restored", "half");
  EXPECT_EQ(*finish_restore(data), false);
  EXPECT_FALSE(folder.has("posthorn.db.restored"));
  EXPECT_EQ(folder.get("posthorn.db"), "new");
}

}  // namespace
}  // namespace posthorn::daemon
