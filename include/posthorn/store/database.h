#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace posthorn::store {

class Database;

/// The rows of one run of a Statement. Resets the statement when it ends, so keep it short-lived.
class Query {
 public:
  Query(Query&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)),
        database_(other.database_),
        bound_(other.bound_) {}
  Query& operator=(Query&&) = delete;
  ~Query();

  /// To the next row; false: no more. Errors: io, full (disk), malformed (database damaged).
  Result<bool> next();
  /// Runs to the end, for statements without rows.
  Result<void> run();

  /// Column values of the row that next() reached. Views end with the next call or the query.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] ByteView blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Statement;
  Query(sqlite3_stmt* statement, Database& database, int bound)
      : statement_(statement), database_(database), bound_(bound) {}

  sqlite3_stmt* statement_;
  Database& database_;
  int bound_;  ///< result code of preparing and binding
};

/// One SQL statement, prepared at its first use and kept. A member of whoever uses it.
///
///     Statement find_{db_, "SELECT record FROM sessions WHERE name = ?1 AND device = ?2"};
///     ...
///     Query query = find_.query(address.name, address.device);
///     TRY(bool found, query.next());
class Statement {
 public:
  /// The text is a literal; the database outlives the statement.
  Statement(Database& database, const char* sql) : database_(database), sql_(sql) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Binds ?1, ?2 … : integers, bool, text, bytes, nullptr or an optional of these. What is bound
  /// must live until the Query ends. One query at a time.
  template <class... Args>
  [[nodiscard]] Query query(const Args&... args) {
    int status = prepare();
    int index = 0;
    ((status = status == 0 ? bind(++index, args) : status), ...);
    return Query(statement_, database_, status);
  }
  template <class... Args>
  Result<void> run(const Args&... args) {
    return query(args...).run();
  }

 private:
  int prepare();
  int bind(int index, std::int64_t value);
  int bind(int index, std::string_view text);
  int bind(int index, ByteView blob);
  int bind(int index, std::nullptr_t);
  template <std::integral T>
  int bind(int index, T value) {
    return bind(index, static_cast<std::int64_t>(value));
  }
  int bind(int index, const std::string& text) { return bind(index, std::string_view(text)); }
  int bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  template <class T>
  int bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind(index, nullptr);
  }
  template <std::size_t N>
  int bind(int index, const std::array<std::byte, N>& blob) {
    return bind(index, ByteView(blob));
  }
  int bind(int index, const Bytes& blob) { return bind(index, ByteView(blob)); }

  Database& database_;
  const char* sql_;
  sqlite3_stmt* statement_ = nullptr;
};

/// When a commit goes into the WAL. itself: at once, it survives the end of the program.
/// the_next: with the next one that goes by itself, or with Database::write_group(); until then all
/// readers of this connection see it, and the end of the program takes it along. What comes often
/// and may be lost, together and in order, shares pages and system calls that way.
enum class WrittenBy : std::uint8_t { itself, the_next };

/// A transaction, or a savepoint in the one that is open. Rolls back when it ends uncommitted.
/// They nest like scopes: the inner ends before the outer.
class [[nodiscard]] Transaction {
 public:
  Transaction(Transaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)),
        level_(other.level_),
        written_by_(other.written_by_) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// On an error everything since begin() is rolled back. Not on disk before Store::durable().
  Result<void> commit();

 private:
  friend class Database;
  Transaction(Database& database, int level, WrittenBy written_by)
      : database_(&database), level_(level), written_by_(written_by) {}

  Database* database_;
  int level_;
  WrittenBy written_by_;
};

/// The writer: the one connection that all SQL of the process goes through, on the loop thread.
///
/// WAL with synchronous=NORMAL and no automatic checkpoint, so a commit writes into the page cache
/// and does not wait for the disk; Store::durable() and the checkpoint sync on the worker.
/// The one exception: when a checkpoint has emptied the WAL (every few MiB), the next commit syncs
/// its new 32-byte header before the frames, as SQLite must.
///
/// "database is locked" cannot happen:
/// - one connection writes; it is never shared and its transactions are scopes on one thread;
/// - the second connection (the worker's) only runs PASSIVE checkpoints. They take the CHECKPOINT
///   lock, which the writer never asks for since its own checkpoints are off, and read locks that
///   a reader steps around. The WRITE lock they take only to read the WAL index header again when
///   they caught the writer in the middle of changing it: microseconds, without I/O, and the
///   writer's busy timeout of five seconds outlasts it by far;
/// - a backup reads through a third connection, whose read locks block no writer in WAL;
/// - other processes are kept out altogether (src/store/vfs.h).
///
/// Extra tables (hook for other parts of this module and for other modules): give the part a name
/// and an append-only list of SQL steps, call migrate() at construction, keep Statements as
/// members:
///
///     constexpr const char* kSteps[] = {
///         "CREATE TABLE lid_map (pn TEXT PRIMARY KEY, lid TEXT NOT NULL) WITHOUT ROWID",
///         "ALTER TABLE lid_map ADD COLUMN seen INTEGER NOT NULL DEFAULT 0",  // a later release
///     };
///     TRY(database.migrate("messages", kSteps));
///
/// What belongs together goes into one Transaction; signal::Protocol and Store join an open one.
class Database {
 public:
  struct Options {
    const char* vfs = nullptr;  ///< SQLite VFS name, for tests; nullptr: ours
    int cache_kib = 256;        ///< page cache
    int busy_timeout_ms = 5000;
  };

  /// Creates the file when it is not there. Errors: io, full, malformed (no or a damaged database).
  static Result<std::unique_ptr<Database>> open(const std::string& path, const Options& options);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  /// The last connection to close checkpoints and removes the WAL.
  ~Database();

  /// Brings the tables of `part` up to steps.size(), each new step in its own transaction together
  /// with the version. A step may hold several statements. Steps only add (tables, indexes, columns
  /// with a default where the statements name their columns): after a rollback the release before
  /// finds a higher version, uses what it knows and leaves the rest alone. A step that cannot do so
  /// would begin at version 1000, which every release before it refuses.
  /// Errors: unsupported (version 1000 or more), io, full.
  Result<void> migrate(std::string_view part, std::span<const char* const> steps);
  /// Statements that return nothing, not prepared beforehand.
  Result<void> execute(const char* sql);
  Result<Transaction> begin(WrittenBy written_by = WrittenBy::itself);
  [[nodiscard]] bool in_transaction() const { return level_ > 0; }
  /// Inside a transaction whose outermost scope leaves its writing to the next.
  [[nodiscard]] bool in_relaxed_transaction() const { return level_ > 0 && relaxed_; }

  /// Writes what waits for the next commit. Not inside a transaction. Errors: io, full; all that
  /// waited is lost then, which groups_lost() counts.
  Result<void> write_group();
  [[nodiscard]] bool has_group() const { return group_open_; }
  /// Which group is open or was the last one, from 1; 0: there was none.
  [[nodiscard]] std::uint64_t group() const { return group_; }
  /// The last one that was lost; 0: none was.
  [[nodiscard]] std::uint64_t lost_group() const { return lost_group_; }
  /// How often SQLite has rolled back what waited for its commit (disk full, I/O error).
  [[nodiscard]] std::uint64_t groups_lost() const { return groups_lost_; }

  /// Commits so far, and pages in the WAL after the last one.
  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  [[nodiscard]] int wal_pages() const { return wal_pages_; }
  /// SQLite has reported damage since open(): Store looks closely at the next start.
  [[nodiscard]] bool damaged() const { return damaged_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] ::sqlite3* handle() const { return handle_; }

 private:
  friend class Query;
  friend class Statement;
  friend class Transaction;
  Database(::sqlite3* handle, std::string path);
  Result<void> configure(const Options& options);
  Result<void> migrate_step(std::string_view part, std::size_t version, const char* step);
  Result<void> end(int level, bool commit, WrittenBy written_by);
  Result<void> end_scope(int level, bool commit);
  /// After a statement outside a transaction: it is a commit of its own.
  Result<void> after_statement(bool wrote);
  /// Forgets a group that SQLite has rolled back.
  void notice_lost_group();

  /// Turns an SQLite code into an Error and remembers damage.
  Error to_error(int status);
  /// True when SQLite has rolled the open transaction back on its own (disk full, I/O error).
  [[nodiscard]] bool lost_transaction() const;
  static int on_commit(void* self, ::sqlite3* handle, const char* name, int pages);

  ::sqlite3* handle_;
  std::string path_;
  struct Scopes;
  std::unique_ptr<Scopes> scopes_;  ///< prepared BEGIN, COMMIT …; ends before handle_
  int level_ = 0;
  bool group_open_ = false;  ///< a BEGIN of ours that several commits share
  bool relaxed_ = false;     ///< the outermost scope leaves its writing to the next
  std::uint64_t group_ = 0;
  std::uint64_t lost_group_ = 0;
  std::uint64_t groups_lost_ = 0;
  std::uint64_t commits_ = 0;
  int wal_pages_ = 0;
  bool damaged_ = false;
};

}  // namespace posthorn::store
