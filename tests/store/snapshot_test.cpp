#include "posthorn/store/snapshot.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "posthorn/store/alias_store.h"
#include "posthorn/store/awaited_store.h"
#include "posthorn/store/group_store.h"
#include "posthorn/store/history_store.h"
#include "posthorn/store/media_store.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/people_store.h"
#include "posthorn/store/store.h"
#include "posthorn/store/sync_store.h"
#include "posthorn/store/view_store.h"
#include "support/fakes.h"
#include "support/folder.h"

namespace posthorn::store {
namespace {

/// Stands before SQLite's way to the disk while it is there.
class CountTemporaryFiles {
 public:
  CountTemporaryFiles() : before_(sqlite3_vfs_find("unix-excl")) {
    opened_ = 0;
    counting_ = *before_;
    counting_.pNext = nullptr;
    real_open_ = before_->xOpen;
    counting_.xOpen = [](sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                         int* out) {
      constexpr int kTemporary =
          SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_TRANSIENT_DB;
      if ((flags & kTemporary) != 0) ++opened_;
      return real_open_(vfs, path, file, flags, out);
    };
    sqlite3_vfs_unregister(before_);
    sqlite3_vfs_register(&counting_, 0);
  }
  ~CountTemporaryFiles() {
    sqlite3_vfs_unregister(&counting_);
    sqlite3_vfs_register(before_, 0);
  }
  CountTemporaryFiles(const CountTemporaryFiles&) = delete;
  CountTemporaryFiles& operator=(const CountTemporaryFiles&) = delete;
  [[nodiscard]] static int opened() { return opened_; }

 private:
  static inline int opened_ = 0;
  static inline decltype(sqlite3_vfs::xOpen) real_open_ = nullptr;
  sqlite3_vfs* before_;
  sqlite3_vfs counting_{};
};

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

  /// A database with every table that this module's stores make.
  void open_all_tables(const std::string& name) {
    auto opened = open(name);
    ASSERT_TRUE(opened.has_value());
    Database& db = opened->store->database();
    EXPECT_TRUE(MessageStore::open(db, Wall{}) && MediaStore::open(db) && HistoryStore::open(db));
    EXPECT_TRUE(PeopleStore::open(db) && GroupStore::open(db) && SyncStore::open(db));
    EXPECT_TRUE(AliasStore::open(db) && ViewStore::open(db) && AwaitedStore::open(db));
  }
  std::vector<std::string> texts(const std::string& name, const std::string& sql) const {
    ::sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(folder.at(name).c_str(), &handle), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sql;
    std::vector<std::string> out;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      out.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)));
    }
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return out;
  }
  /// A row with that text in each column that takes one.
  void put_marker(const std::string& name, const std::string& table,
                  const std::string& marker) const {
    std::string values;
    for (const std::string& type :
         texts(name, "SELECT type || pk FROM pragma_table_info('" + table + "')")) {
      values += values.empty() ? "" : ", ";
      values += type.starts_with("INTEGER") ? "1" : "'" + marker + "'";
    }
    execute(name, "INSERT OR REPLACE INTO " + table + " VALUES (" + values + ")");
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

/// Every byte of the file, free pages included: a backup leaves the shop. The tables are those of
/// this release; a new one makes this test fail until somebody has said which kind it is.
TEST_F(Snapshot, HoldsNothingThatPeopleWroteAndNoSession) {
  constexpr const char* kContent =
      "sent received polls media_received media_uploads history_files sessions sender_keys "
      "awaited ";
  constexpr const char* kOther =
      "blobs counters own_identity pre_keys signed_pre_keys peer_identities schema_versions names "
      "device_lists seen push_names tokens votes timers contacts chats labels labelled groups "
      "key_holders sync_keys sync_collections sync_entries aliases status_views ";
  open_all_tables("a.db");
  const auto tables = texts("a.db", "SELECT name FROM sqlite_schema WHERE type = 'table'");
  for (const std::string& table : tables) {
    const bool content = std::string(kContent).find(table + " ") != std::string::npos;
    const bool other = std::string(kOther).find(table + " ") != std::string::npos;
    EXPECT_NE(content, other) << "does a backup hold " << table << "?";
    put_marker("a.db", table, content ? "what people wrote" : "what the box needs");
  }
  execute("a.db",
          "INSERT INTO blobs VALUES ('webhook/refused', 'what people wrote'),"
          " ('cloud/free-form/07', 'what people wrote'), ('cloud/free', 'what the box needs too')");
  ASSERT_NE(folder.get("a.db").find("what people wrote"), std::string::npos);
  for (const WithJournal journal : {WithJournal::no, WithJournal::yes}) {
    ASSERT_TRUE(snapshot(folder.at("a.db"), folder.at("b.db"), journal).has_value());
    const std::string copy = folder.get("b.db");
    ASSERT_GT(copy.size(), 4096U);
    EXPECT_EQ(copy.find("what people wrote"), std::string::npos);
    EXPECT_NE(copy.find("what the box needs too"), std::string::npos);
    for (const std::string& table : tables) {
      const bool content = std::string(kContent).find(table + " ") != std::string::npos;
      const auto rows = texts("b.db", "SELECT count(*) FROM " + table);
      EXPECT_EQ(rows.at(0) == "0", content) << table;
      EXPECT_EQ(texts("b.db", "PRAGMA quick_check"), std::vector<std::string>{"ok"});
    }
    EXPECT_EQ(texts("b.db", "SELECT sql FROM sqlite_schema WHERE sql <> '' ORDER BY name"),
              texts("a.db", "SELECT sql FROM sqlite_schema WHERE sql <> '' ORDER BY name"));
    EXPECT_EQ(texts("b.db", "PRAGMA page_size"), texts("a.db", "PRAGMA page_size"));
  }
}

/// As a release before made it, which left less out.
TEST_F(Snapshot, ARestoredOneIsAskedTheSame) {
  open_all_tables("a.db");
  execute("a.db",
          "INSERT INTO blobs VALUES ('webhook/refused', 'the dead box''s notifications');"
          "INSERT INTO history_files (id, notification) VALUES ('1', x'00')");
  ASSERT_TRUE(prepare_restored(folder.at("a.db")).has_value());
  EXPECT_EQ(texts("a.db", "SELECT count(*) FROM history_files"), std::vector<std::string>{"0"});
  EXPECT_EQ(texts("a.db", "SELECT count(*) FROM blobs"), std::vector<std::string>{"0"});
}

/// SQLite's temporary files are in /tmp, which on a box is memory.
TEST_F(Snapshot, NeedsNoTemporaryFileAndNoMoreRoomThanItIsGiven) {
  { ASSERT_TRUE(open("a.db").has_value()); }
  execute(
      "a.db",
      "CREATE TABLE journal (n INTEGER PRIMARY KEY, body BLOB); CREATE INDEX j ON journal(body);"
      "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 8000)"
      " INSERT INTO journal SELECT n, randomblob(500) FROM i");
  const CountTemporaryFiles counted;
  ASSERT_TRUE(snapshot(folder.at("a.db"), folder.at("b.db"), WithJournal::yes).has_value());
  EXPECT_EQ(counted.opened(), 0);
  EXPECT_EQ(texts("b.db", "SELECT count(*) FROM journal"), std::vector<std::string>{"8000"});
  const auto refused =
      snapshot(folder.at("a.db"), folder.at("c.db"), WithJournal::yes, std::uint64_t{1} << 20);
  EXPECT_EQ(refused.error().code, Errc::full);
  EXPECT_FALSE(folder.has("c.db"));
  EXPECT_TRUE(
      snapshot(folder.at("a.db"), folder.at("c.db"), WithJournal::no, std::uint64_t{1} << 20)
          .has_value());
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
