#include <sqlite3.h>

#include <cassert>

#include "posthorn/store/database.h"

namespace posthorn::store {

Statement::~Statement() { sqlite3_finalize(statement_); }

int Statement::prepare() {
  if (statement_ != nullptr) {
    assert(sqlite3_stmt_busy(statement_) == 0 && "one query of a statement at a time");
    return SQLITE_OK;
  }
  return sqlite3_prepare_v3(database_.handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &statement_,
                            nullptr);
}

int Statement::bind(int index, std::int64_t value) {
  return sqlite3_bind_int64(statement_, index, value);
}

int Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL.
  return sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(),
                             SQLITE_STATIC, SQLITE_UTF8);
}

int Statement::bind(int index, ByteView blob) {
  if (blob.empty()) return sqlite3_bind_zeroblob(statement_, index, 0);
  return sqlite3_bind_blob64(statement_, index, blob.data(), blob.size(), SQLITE_STATIC);
}

int Statement::bind(int index, std::nullptr_t) { return sqlite3_bind_null(statement_, index); }

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);  // they point at memory of the caller
}

Result<bool> Query::next() {
  if (bound_ != SQLITE_OK) return tl::unexpected(database_.to_error(bound_));
  if (database_.lost_transaction()) {
    return fail(Errc::io, "the transaction was rolled back by an error before");
  }
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  if (status != SQLITE_DONE) return tl::unexpected(database_.to_error(status));
  TRY(database_.after_statement(sqlite3_stmt_readonly(statement_) == 0));
  return false;
}

Result<void> Query::run() {
  for (;;) {
    TRY(const bool more, next());
    if (!more) return {};
  }
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

ByteView Query::blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

}  // namespace posthorn::store
