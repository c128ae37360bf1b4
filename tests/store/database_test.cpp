#include "posthorn/store/database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "store/temporary_folder.h"

namespace posthorn::store {
namespace {

constexpr const char* kFirst[] = {"CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER)"};
constexpr const char* kSecond[] = {
    "CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER)",
    "ALTER TABLE t ADD COLUMN w BLOB; UPDATE t SET w = x'0102'",
};

class DatabaseTest : public ::testing::Test {
 protected:
  void open() {
    auto opened = Database::open(folder_ / "test.db", {});
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    db_ = std::move(*opened);
  }
  void SetUp() override {
    open();
    ASSERT_TRUE(db_->migrate("test", kFirst).has_value());
  }
  void put(const char* key, int value) {
    Statement statement(*db_, "INSERT OR REPLACE INTO t (k, v) VALUES (?1, ?2)");
    ASSERT_TRUE(statement.run(key, value).has_value());
  }
  std::int64_t count() {
    Statement statement(*db_, "SELECT count(*) FROM t");
    Query query = statement.query();
    EXPECT_TRUE(query.next().value_or(false));
    return query.integer(0);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Database> db_;
};

TEST_F(DatabaseTest, BindsAndReadsEveryKind) {
  Statement echo(*db_, "SELECT ?1, ?2, ?3, ?4, ?5, ?6");
  const Bytes blob = to_bytes(std::string_view("\0\x01\x02", 3));
  Query query = echo.query(std::int64_t{-5}, "text", blob, nullptr, std::optional<int>(), Bytes());
  ASSERT_TRUE(query.next().value_or(false));
  EXPECT_EQ(query.integer(0), -5);
  EXPECT_EQ(query.text(1), "text");
  EXPECT_EQ(to_bytes(query.blob(2)), blob);
  EXPECT_TRUE(query.is_null(3));
  EXPECT_TRUE(query.is_null(4));
  EXPECT_FALSE(query.is_null(5));
  EXPECT_TRUE(query.blob(5).empty());
  EXPECT_FALSE(query.next().value_or(true));
}

TEST_F(DatabaseTest, SaysWhatIsWrongWithAStatement) {
  Statement wrong(*db_, "SELECT something FROM nowhere");
  const auto result = wrong.run();
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().detail.find("nowhere"), std::string::npos) << result.error().detail;
}

TEST_F(DatabaseTest, UncommittedTransactionLeavesNothing) {
  {
    auto transaction = db_->begin();
    ASSERT_TRUE(transaction.has_value());
    put("a", 1);
    EXPECT_EQ(count(), 1);
  }
  EXPECT_EQ(count(), 0);
  EXPECT_FALSE(db_->in_transaction());
}

TEST_F(DatabaseTest, InnerScopeRollsBackAlone) {
  auto outer = db_->begin();
  put("outer", 1);
  {
    auto inner = db_->begin();
    put("inner", 2);
    {
      auto innermost = db_->begin();
      put("innermost", 3);
      ASSERT_TRUE(innermost->commit().has_value());
    }
    EXPECT_EQ(count(), 3);
  }
  EXPECT_EQ(count(), 1);
  ASSERT_TRUE(outer->commit().has_value());
  EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, CommittedInnerScopeGoesWithTheOuter) {
  {
    auto outer = db_->begin();
    auto inner = db_->begin();
    put("inner", 2);
    ASSERT_TRUE(inner->commit().has_value());
  }
  EXPECT_EQ(count(), 0);
}

TEST_F(DatabaseTest, TransactionThatSqliteEndedTakesNothingMore) {
  auto transaction = db_->begin();
  put("a", 1);
  // What a full disk does to the transaction on its own.
  sqlite3_exec(db_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  Statement insert(*db_, "INSERT INTO t (k, v) VALUES ('b', 2)");
  EXPECT_EQ(insert.run().error().code, Errc::io);
  EXPECT_EQ(transaction->commit().error().code, Errc::io);
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(insert.run().has_value());
}

TEST_F(DatabaseTest, MigratesStepByStepOnce) {
  put("a", 1);
  ASSERT_TRUE(db_->migrate("test", kSecond).has_value());
  ASSERT_TRUE(db_->migrate("test", kSecond).has_value());
  db_.reset();
  open();
  ASSERT_TRUE(db_->migrate("test", kSecond).has_value());
  Statement read(*db_, "SELECT w FROM t WHERE k = 'a'");
  Query query = read.query();
  ASSERT_TRUE(query.next().value_or(false));
  EXPECT_EQ(hex_encode(query.blob(0)), "0102");
}

TEST_F(DatabaseTest, UsesAFileThatANewerReleaseAddedTo) {
  ASSERT_TRUE(db_->migrate("test", kSecond).has_value());
  ASSERT_TRUE(db_->migrate("test", kFirst).has_value());
  put("written after the rollback", 1);
  ASSERT_TRUE(db_->migrate("test", kSecond).has_value());
}

TEST_F(DatabaseTest, FailedStepLeavesTheVersionBeforeIt) {
  constexpr const char* kBroken[] = {kSecond[0], "ALTER TABLE t ADD COLUMN w BLOB; nonsense"};
  EXPECT_FALSE(db_->migrate("test", kBroken).has_value());
  EXPECT_TRUE(db_->migrate("test", kSecond).has_value());
}

TEST_F(DatabaseTest, WriterDoesNotWaitForAReaderFromOutside) {
  put("a", 1);
  ::sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ / "test.db").c_str(), &reader), SQLITE_OK);
  sqlite3_exec(reader, "BEGIN; SELECT * FROM t", nullptr, nullptr, nullptr);
  put("b", 2);
  auto transaction = db_->begin();
  put("c", 3);
  EXPECT_TRUE(transaction->commit().has_value());
  sqlite3_close(reader);
}

}  // namespace
}  // namespace posthorn::store
