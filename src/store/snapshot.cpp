#include "posthorn/store/snapshot.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

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

}  // namespace

Result<void> snapshot(const std::string& from, const std::string& to) {
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
  if (sqlite3_step(prepared) != SQLITE_DONE) {
    Error error = to_error(raw, "copying the database");
    std::filesystem::remove(to, ignored);
    return tl::unexpected(std::move(error));
  }
  return {};
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
