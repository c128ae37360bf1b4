#include "posthorn/store/snapshot.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "posthorn/store/store.h"
#include "support/fakes.h"
#include "support/folder.h"

namespace posthorn::store {
namespace {

class Snapshot : public testing::Test {
 protected:
  Result<Store::Opened> open(const std::string& name) {
    return Store::open(folder.at(name), worker);
  }
  void execute(const std::string& name, const std::string& sql) const {
    ::sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(folder.at(name).c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    sqlite3_close(handle);
  }

  test::Folder folder;
  test::FakeScheduler scheduler;
  test::InlineWorker worker{scheduler};
};

TEST_F(Snapshot, HoldsWhatTheOpenStoreHoldsIncludingItsWal) {
  auto opened = open("a.db");
  ASSERT_TRUE(opened.has_value());
  ASSERT_TRUE(opened->store->save("settings", as_bytes("kept")).has_value());
  ASSERT_TRUE(snapshot(folder.at("a.db"), folder.at("b.db")).has_value());
  ASSERT_TRUE(opened->store->save("settings", as_bytes("later")).has_value());
  struct stat found {};
  ASSERT_EQ(stat(folder.at("b.db").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  EXPECT_FALSE(folder.has("b.db-wal"));
  ASSERT_TRUE(prepare_restored(folder.at("b.db")).has_value());
  EXPECT_FALSE(folder.has("b.db-wal"));
  auto copy = open("b.db");
  ASSERT_TRUE(copy.has_value());
  EXPECT_EQ(as_text(**copy->store->load("settings")), "kept");
}

TEST_F(Snapshot, HoldsTheJournalOnlyWhenItIsAskedFor) {
  { ASSERT_TRUE(open("a.db").has_value()); }
  execute("a.db",
          "CREATE TABLE journal (n INTEGER PRIMARY KEY, body TEXT);"
          "CREATE TABLE journal_chats (n INTEGER PRIMARY KEY, chat TEXT);"
          "INSERT INTO journal VALUES (1, 'three cakes for the priest');"
          "INSERT INTO journal_chats VALUES (1, '4915550007777@c.us')");
  ASSERT_TRUE(snapshot(folder.at("a.db"), folder.at("b.db")).has_value());
  EXPECT_EQ(folder.get("b.db").find("cakes for the priest"), std::string::npos);
  EXPECT_EQ(folder.get("b.db").find("4915550007777"), std::string::npos);
  ASSERT_TRUE(snapshot(folder.at("a.db"), folder.at("c.db"), WithJournal::yes).has_value());
  EXPECT_NE(folder.get("c.db").find("cakes for the priest"), std::string::npos);
}

/// Every byte of the file, free pages included: a backup leaves the shop.
TEST_F(Snapshot, HoldsNoMessageAndNoSession) {
  { ASSERT_TRUE(open("a.db").has_value()); }
  execute("a.db",
          "CREATE TABLE sent (n INTEGER PRIMARY KEY, message BLOB);"
          "CREATE TABLE received (n INTEGER PRIMARY KEY, message BLOB);"
          "INSERT INTO sent VALUES (1, 'your table is ready');"
          "INSERT INTO received VALUES (1, 'my doctor says');"
          "INSERT INTO sessions VALUES ('4915550001234', 0, 'ratchet of today')");
  ASSERT_TRUE(snapshot(folder.at("a.db"), folder.at("b.db")).has_value());
  const std::string copy = folder.get("b.db");
  ASSERT_GT(copy.size(), 4096U);
  for (const char* secret : {"table is ready", "my doctor says", "ratchet of today"}) {
    EXPECT_NE(folder.get("a.db").find(secret), std::string::npos) << secret;
    EXPECT_EQ(copy.find(secret), std::string::npos) << secret;
  }
}

TEST_F(Snapshot, SessionsDoNotComeBackToLife) {
  { ASSERT_TRUE(open("a.db").has_value()); }
  execute("a.db", "INSERT INTO sessions VALUES ('4915550001234', 0, x'00')");
  ASSERT_TRUE(prepare_restored(folder.at("a.db")).has_value());
  ::sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(folder.at("a.db").c_str(), &handle), SQLITE_OK);
  sqlite3_stmt* count = nullptr;
  sqlite3_prepare_v2(handle, "SELECT count(*) FROM sessions", -1, &count, nullptr);
  ASSERT_EQ(sqlite3_step(count), SQLITE_ROW);
  EXPECT_EQ(sqlite3_column_int(count, 0), 0);
  sqlite3_finalize(count);
  sqlite3_close(handle);
}

TEST_F(Snapshot, RefusesWhatIsNoDatabaseOfOurs) {
  folder.put("text", "this is no database, and long enough to be looked at as one");
  EXPECT_EQ(prepare_restored(folder.at("text")).error().code, Errc::malformed);
  execute("other.db", "CREATE TABLE songs (name TEXT)");
  EXPECT_EQ(prepare_restored(folder.at("other.db")).error().code, Errc::malformed);
  EXPECT_FALSE(snapshot(folder.at("absent.db"), folder.at("c.db")).has_value());
}

TEST_F(Snapshot, ADatabaseOfANewerReleaseIsRefusedInWords) {
  { ASSERT_TRUE(open("a.db").has_value()); }
  execute("a.db", "UPDATE schema_versions SET version = version + 1000 WHERE part = 'store'");
  const auto refused = prepare_restored(folder.at("a.db"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().detail.find("newer release"), std::string::npos);
}

}  // namespace
}  // namespace posthorn::store
