#include "posthorn/store/database.h"

#include <sqlite3.h>

#include <cassert>

#include "posthorn/base/log.h"
#include "store/vfs.h"

namespace posthorn::store {

namespace {

constexpr const char* kVersions =
    "CREATE TABLE IF NOT EXISTS schema_versions"
    " (part TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID";

/// Below it a step only adds, so the release before goes on reading; one that cannot promise that
/// writes versions from here on, and the release before refuses the file in words.
constexpr std::size_t kVersionsPerMajor = 1000;

Errc to_errc(int status) {
  switch (status & 0xFF) {
    case SQLITE_FULL:
      return Errc::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::malformed;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::busy;
    default:
      return Errc::io;
  }
}

}  // namespace

/// BEGIN and its kin, prepared.
struct Database::Scopes {
  explicit Scopes(Database& database) : db(database) {}

  Database& db;
  // IMMEDIATE: a read that turns into a write could find its snapshot outdated.
  Statement begin{db, "BEGIN IMMEDIATE"};
  Statement commit{db, "COMMIT"};
  Statement save{db, "SAVEPOINT inner_scope"};
  Statement release{db, "RELEASE inner_scope"};
  Statement read_version{db, "SELECT version FROM schema_versions WHERE part = ?1"};
  Statement write_version{db, "INSERT OR REPLACE INTO schema_versions VALUES (?1, ?2)"};
};

Database::Database(::sqlite3* handle, std::string path)
    : handle_(handle), path_(std::move(path)), scopes_(std::make_unique<Scopes>(*this)) {}

Database::~Database() {
  assert(level_ == 0 && "a transaction outlives its database");
  if (auto written = write_group(); !written) {
    log::warn("store", "the last changes are not written", {{"error", written.error()}});
  }
  scopes_.reset();
  const int status = sqlite3_close(handle_);
  assert(status == SQLITE_OK && "a statement outlives its database");
  static_cast<void>(status);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, const Options& options) {
  ::sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int status = sqlite3_open_v2(path.c_str(), &handle, flags, vfs_name(options.vfs));
  std::unique_ptr<Database> database(new Database(handle, path));
  if (status != SQLITE_OK) return tl::unexpected(database->to_error(status));
  TRY(database->configure(options));
  return database;
}

Result<void> Database::configure(const Options& options) {
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, options.busy_timeout_ms);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 512, 64);
  const std::string cache = "PRAGMA cache_size = -" + std::to_string(options.cache_kib);
  TRY(execute(cache.c_str()));
  // A message changes a session of half a KiB: with SQLite's 4 KiB pages twice the bytes go into
  // the WAL and a fifth more time (tests/bench/signal). Kept from the file when there is one.
  TRY(execute("PRAGMA page_size = 2048"));
  TRY(execute("PRAGMA temp_store = MEMORY"));
  TRY(execute("PRAGMA mmap_size = 0"));
  TRY(execute("PRAGMA trusted_schema = OFF"));
  {
    Statement set_wal(*this, "PRAGMA journal_mode = WAL");
    Query query = set_wal.query();
    TRY(const bool answered, query.next());
    if (!answered || query.text(0) != "wal") return fail(Errc::io, path_ + ": no WAL mode here");
  }
  TRY(execute("PRAGMA synchronous = NORMAL"));
  TRY(execute("PRAGMA wal_autocheckpoint = 0"));
  // What a long checkpoint let the WAL grow to is given back when it begins anew.
  TRY(execute("PRAGMA journal_size_limit = 8388608"));
  // Deleted keys are overwritten where that costs no extra page.
  TRY(execute("PRAGMA secure_delete = FAST"));
  sqlite3_wal_hook(handle_, &Database::on_commit, this);
  return {};
}

int Database::on_commit(void* self, ::sqlite3*, const char*, int pages) {
  auto& database = *static_cast<Database*>(self);
  ++database.commits_;
  database.wal_pages_ = pages;
  return SQLITE_OK;
}

Error Database::to_error(int status) {
  const Errc code = to_errc(status);
  if (code == Errc::malformed) damaged_ = true;
  return {code, std::string("SQLite: ") + sqlite3_errmsg(handle_) + " (" +
                    std::to_string(sqlite3_extended_errcode(handle_)) + ")"};
}

bool Database::lost_transaction() const {
  return level_ > 0 && sqlite3_get_autocommit(handle_) != 0;
}

void Database::notice_lost_group() {
  if (!group_open_ || sqlite3_get_autocommit(handle_) == 0) return;
  group_open_ = false;
  lost_group_ = group_;
  ++groups_lost_;
  log::error("store", "what waited to be written is lost", {{"times", groups_lost_}});
}

Result<void> Database::write_group() {
  assert(level_ == 0 && "a group is written between transactions");
  notice_lost_group();
  if (!group_open_) return {};
  auto written = scopes_->commit.run();
  if (!written && sqlite3_get_autocommit(handle_) == 0) {
    // SQLite keeps it open after some errors; to us it is lost all the same.
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  if (!written) {
    notice_lost_group();
    return written;
  }
  group_open_ = false;
  return {};
}

Result<void> Database::after_statement(bool wrote) {
  if (level_ > 0 || !group_open_ || !wrote) return {};
  return write_group();
}

Result<void> Database::execute(const char* sql) {
  if (lost_transaction()) return fail(Errc::io, "the transaction was rolled back by an error");
  const int status = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) return tl::unexpected(to_error(status));
  return after_statement(true);
}

Result<Transaction> Database::begin(WrittenBy written_by) {
  if (level_ == 0) {
    notice_lost_group();
    relaxed_ = written_by == WrittenBy::the_next;
    if (relaxed_ && !group_open_) {
      TRY(scopes_->begin.run());
      group_open_ = true;
      ++group_;
    }
  }
  TRY((level_ == 0 && !group_open_ ? scopes_->begin : scopes_->save).run());
  ++level_;
  return Transaction(*this, level_, written_by);
}

Result<void> Database::end(int level, bool commit, WrittenBy written_by) {
  assert(level == level_ && "transactions end in the order opposite to their beginning");
  auto result = end_scope(level, commit);
  --level_;
  if (level_ > 0) return result;
  notice_lost_group();
  if (result && commit && written_by == WrittenBy::itself) return write_group();
  return result;
}

Result<void> Database::end_scope(int level, bool commit) {
  const bool alone = level == 1 && !group_open_;
  const bool lost = lost_transaction();
  Result<void> result;
  if (lost) {
    result = fail(Errc::io, "the transaction was rolled back by an error before");
  } else if (commit) {
    result = (alone ? scopes_->commit : scopes_->release).run();
  }
  const bool roll_back = !commit || !result;
  if (roll_back && sqlite3_get_autocommit(handle_) == 0) {
    const char* sql = alone ? "ROLLBACK" : "ROLLBACK TO inner_scope; RELEASE inner_scope";
    const int status = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (status != SQLITE_OK) {
      log::error("store", "rollback failed", {{"error", to_error(status)}});
    }
  }
  return result;
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // Rolling back reports its own trouble; what the transaction was for has failed already.
  if (auto ended = database_->end(level_, false, written_by_); !ended) {
    log::debug("store", "transaction was lost", {{"error", ended.error()}});
  }
}

Result<void> Transaction::commit() {
  assert(database_ != nullptr && "committed twice");
  return std::exchange(database_, nullptr)->end(level_, true, written_by_);
}

Result<void> Database::migrate(std::string_view part, std::span<const char* const> steps) {
  TRY(execute(kVersions));
  std::size_t version = 0;
  {
    Query query = scopes_->read_version.query(part);
    TRY(const bool found, query.next());
    if (found) version = static_cast<std::size_t>(query.integer(0));
  }
  if (version / kVersionsPerMajor != 0) {
    return fail(Errc::unsupported,
                path_ + ": written by a newer release (" + std::string(part) + " version " +
                    std::to_string(version) +
                    ") that this one cannot read: install that release again; to go on without it, "
                    "reset everything and restore a backup made by this release");
  }
  if (version > steps.size()) {
    // A rollback: what the newer release added stays, unused, for the day it comes back.
    log::warn("store", "the file has additions of a newer release",
              {{"part", part}, {"version", version}, {"known", steps.size()}});
  }
  for (; version < steps.size(); ++version) TRY(migrate_step(part, version + 1, steps[version]));
  return {};
}

Result<void> Database::migrate_step(std::string_view part, std::size_t version, const char* step) {
  TRY(Transaction transaction, begin());
  TRY(execute(step));
  TRY(scopes_->write_version.run(part, version));
  return transaction.commit();
}

}  // namespace posthorn::store
