#include "posthorn/store/snapshot.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "posthorn/store/database.h"
#include "store/schema.h"
#include "store/vfs.h"

namespace posthorn::store {

namespace {

struct CloseHandle {
  void operator()(::sqlite3* handle) const { sqlite3_close(handle); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

constexpr int kPatienceMs = 5000;

Error to_error(::sqlite3* handle, const std::string& what) {
  const int code = sqlite3_errcode(handle) & 0xFF;
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return {code == SQLITE_FULL ? Errc::full : (damaged ? Errc::malformed : Errc::io),
          what + ": " + sqlite3_errmsg(handle)};
}

Result<std::int64_t> count_of(Database& db, const char* sql) {
  Statement statement(db, sql);
  Query query = statement.query();
  TRY(query.next());
  return query.integer(0);
}

Result<void> check_whole(Database& db) {
  Statement statement(db, "PRAGMA quick_check(1)");
  Query query = statement.query();
  TRY(const bool answered, query.next());
  if (answered && query.text(0) == "ok") return {};
  return fail(Errc::malformed, "the database is damaged");
}

/// What a backup must not hold: what people wrote, and sessions, which another box may not go on
/// with. A table that this release does not know yet keeps its rows.
constexpr const char* kForgotten[] = {"sent", "received", "sessions", "sender_keys"};
/// The same, unless they are asked for.
constexpr const char* kJournal[] = {"journal", "journal_chats", "journal_state"};

/// The file is thrown away when this is interrupted, so it needs no journal. VACUUM makes it anew,
/// so that free pages hold nothing either.
Result<void> forget_messages(const std::string& path, WithJournal journal) {
  ::sqlite3* raw = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  const std::unique_ptr<::sqlite3, CloseHandle> handle(raw);
  if (status != SQLITE_OK) return tl::unexpected(to_error(raw, path));
  std::string sql = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;";
  std::vector<const char*> tables(std::begin(kForgotten), std::end(kForgotten));
  if (journal == WithJournal::no) {
    tables.insert(tables.end(), std::begin(kJournal), std::end(kJournal));
  }
  for (const char* table : tables) {
    sqlite3_stmt* prepared = nullptr;
    const std::string look = "SELECT 1 FROM " + std::string(table);
    const bool there = sqlite3_prepare_v2(raw, look.c_str(), -1, &prepared, nullptr) == SQLITE_OK;
    sqlite3_finalize(prepared);
    if (there) sql += "DELETE FROM " + std::string(table) + ";";
  }
  sql += "VACUUM;";
  if (sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return tl::unexpected(to_error(raw, "leaving messages out of the copy"));
  }
  return {};
}

}  // namespace

Result<void> snapshot(const std::string& from, const std::string& to, WithJournal journal) {
  std::error_code ignored;
  std::filesystem::remove(to, ignored);
  // VACUUM INTO takes an empty file as its target: so it never has another mode than this.
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, to + ": cannot be made");
  ::close(fd);
  ::sqlite3* raw = nullptr;
  const int status = sqlite3_open_v2(
      from.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs_name(nullptr));
  const std::unique_ptr<::sqlite3, CloseHandle> handle(raw);
  if (status != SQLITE_OK) return tl::unexpected(to_error(raw, from));
  sqlite3_busy_timeout(raw, kPatienceMs);
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(raw, "VACUUM INTO ?1", -1, &prepared, nullptr);
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
  if (!statement) return tl::unexpected(to_error(raw, "copying the database"));
  sqlite3_bind_text(prepared, 1, to.c_str(), -1, SQLITE_STATIC);
  Result<void> copied;
  if (sqlite3_step(prepared) != SQLITE_DONE) {
    copied = tl::unexpected(to_error(raw, "copying the database"));
  }
  if (copied) copied = forget_messages(to, journal);
  if (!copied) std::filesystem::remove(to, ignored);
  return copied;
}

Result<void> prepare_restored(const std::string& path) {
  {
    TRY(auto database, Database::open(path, {}));
    TRY(check_whole(*database));
    // A database of ours has this table; migrate() would make it in any other.
    TRY(const std::int64_t ours,
        count_of(*database, "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_versions'"));
    if (ours != 1) return fail(Errc::malformed, "it holds no database of a Posthorn");
    TRY(database->migrate("store", kSchema));
    TRY(database->execute("DELETE FROM sessions; DELETE FROM sender_keys"));
    // Another database than the one that is replaced (beside.h), and prekeys that were made since
    // the backup have ids that must not be given again.
    TRY(database->execute(
        "INSERT OR REPLACE INTO counters"
        " VALUES ('database', abs(random() % 4611686018427387903) + 1), ('commit', 0);"
        "UPDATE counters SET value = (value + 100000) % 16777215 + 1"
        " WHERE name IN ('pre_key', 'signed_pre_key')"));
    TRY(database->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  std::error_code ignored;
  std::filesystem::remove(path + "-wal", ignored);
  std::filesystem::remove(path + "-shm", ignored);
  return {};
}

}  // namespace posthorn::store
