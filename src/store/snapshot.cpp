#include "posthorn/store/snapshot.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
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

/// What a backup must not hold: what people wrote, keys to what they sent, and sessions, which
/// another box may not go on with. A table that this release does not know yet keeps its rows.
constexpr std::string_view kForgotten[] = {"sent",           "received",      "polls",
                                           "media_received", "media_uploads", "history_files",
                                           "sessions",       "sender_keys",   "awaited"};
/// The same, unless they are asked for.
constexpr std::string_view kJournal[] = {"journal", "journal_chats", "journal_state"};
/// Named values of the same kind: notifications that the till refused, and jobs that the official
/// number may have to send once more ("cloud/free-form/NN", cloud/ledger.h).
constexpr const char* kOtherBlobs =
    " WHERE name <> 'webhook/refused' AND substr(name, 1, 16) <> 'cloud/free-form/'";

bool is_in(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Out of a backup of a release that left less out.
Result<void> forget(Database& db) {
  for (const std::string_view table : kForgotten) {
    const std::string name(table);
    TRY(const std::int64_t there,
        count_of(db, ("SELECT count(*) FROM sqlite_schema WHERE name = '" + name + "'").c_str()));
    if (there != 0) TRY(db.execute(("DELETE FROM " + name).c_str()));
  }
  const std::string sql = "DELETE FROM blobs WHERE name NOT IN (SELECT name FROM blobs";
  return db.execute((sql + kOtherBlobs + ")").c_str());
}

/// One connection with the copy attached as "copy". Rows go straight from one file to the other, so
/// that what is left out is never written, and nothing goes through temporary files, which are
/// memory on a box.
class Copying {
 public:
  static Result<Copying> open(const std::string& from, const std::string& to) {
    ::sqlite3* raw = nullptr;
    const int status = sqlite3_open_v2(
        from.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs_name(nullptr));
    Copying out(raw);
    if (status != SQLITE_OK) return tl::unexpected(to_error(raw, from));
    sqlite3_busy_timeout(raw, kPatienceMs);
    TRY(const std::int64_t page, out.number("PRAGMA main.page_size"));
    TRY(out.run("ATTACH '" + quoted(to) + "' AS copy"));
    // It is thrown away when this is interrupted, so it needs no journal.
    TRY(out.run("PRAGMA copy.page_size = " + std::to_string(page) +
                "; PRAGMA copy.journal_mode = OFF; PRAGMA copy.synchronous = OFF"));
    return out;
  }

  /// Of the copy.
  Result<void> bound(std::uint64_t bytes) {
    TRY(const std::int64_t page, number("PRAGMA copy.page_size"));
    const std::uint64_t pages =
        std::max<std::uint64_t>(bytes / static_cast<std::uint64_t>(page), 1);
    if (pages > kPagesAtMost) return {};
    return run("PRAGMA copy.max_page_count = " + std::to_string(pages));
  }

  /// All in one transaction: the database as it is now.
  Result<void> copy(WithJournal journal) {
    TRY(run("BEGIN"));
    TRY(make("CREATE TABLE ", "type = 'table' AND name NOT LIKE 'sqlite%'"));
    TRY(make("CREATE INDEX ", "type = 'index'"));
    TRY(make("CREATE UNIQUE INDEX ", "type = 'index'"));
    TRY(const auto tables,
        texts("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE "
              "'sqlite%' ORDER BY rowid"));
    for (const std::string& table : tables) {
      if (is_in(kForgotten, table)) continue;
      if (journal == WithJournal::no && is_in(kJournal, table)) continue;
      TRY(run("INSERT INTO copy.\"" + table + "\" SELECT * FROM main.\"" + table + "\"" +
              (table == "blobs" ? kOtherBlobs : "")));
    }
    return run("COMMIT");
  }

 private:
  static constexpr std::uint64_t kPagesAtMost = 1'000'000'000;

  explicit Copying(::sqlite3* raw) : handle_(raw) {}

  static std::string quoted(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
    return out;
  }
  Result<void> run(const std::string& sql) {
    if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return tl::unexpected(to_error(handle_.get(), "copying the database"));
  }
  Result<std::vector<std::string>> texts(const std::string& sql) {
    sqlite3_stmt* prepared = nullptr;
    sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &prepared, nullptr);
    const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
    std::vector<std::string> out;
    int step = prepared == nullptr ? SQLITE_ERROR : sqlite3_step(prepared);
    for (; step == SQLITE_ROW; step = sqlite3_step(prepared)) {
      out.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(prepared, 0)));
    }
    if (step == SQLITE_DONE) return out;
    return tl::unexpected(to_error(handle_.get(), "copying the database"));
  }
  Result<std::int64_t> number(const std::string& sql) {
    TRY(const auto answer, texts(sql));
    return answer.empty() ? 0 : std::strtoll(answer[0].c_str(), nullptr, 10);
  }
  /// SQLite keeps each definition with its beginning in this form.
  Result<void> make(const std::string& beginning, const std::string& which) {
    TRY(const auto made, texts("SELECT sql FROM main.sqlite_schema WHERE " + which +
                               " AND sql LIKE '" + beginning + "%' ORDER BY rowid"));
    for (const std::string& sql : made) {
      TRY(run(beginning + "copy." + sql.substr(beginning.size())));
    }
    return {};
  }

  std::unique_ptr<::sqlite3, CloseHandle> handle_;
};

Result<void> copy_to(const std::string& from, const std::string& to, WithJournal journal,
                     std::uint64_t at_most) {
  TRY(auto copying, Copying::open(from, to));
  TRY(copying.bound(at_most));
  return copying.copy(journal);
}

}  // namespace

Result<void> snapshot(const std::string& from, const std::string& to, WithJournal journal,
                      std::uint64_t at_most) {
  std::error_code ignored;
  std::filesystem::remove(to, ignored);
  // SQLite takes an empty file for a new database: so it never has another mode than this.
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, to + ": cannot be made");
  ::close(fd);
  const auto copied = copy_to(from, to, journal, at_most);
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
    TRY(forget(*database));
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
