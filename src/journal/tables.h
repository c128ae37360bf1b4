#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "posthorn/journal/journal.h"
#include "posthorn/store/database.h"

namespace posthorn::journal {

/// The journal's rows, and how many bytes of them there are: summed up at the start, not written at
/// each change. Every call joins an open transaction.
class Tables {
 public:
  explicit Tables(store::Database& database) : db_(database) {}

  Result<void> prepare();
  /// After a transaction that was rolled back.
  Result<void> reload();

  /// False: it was there, and stays as it is.
  Result<bool> add(const Entry& entry, std::int64_t kept_at);
  Result<void> set_status(const std::string& chat, const std::string& id, Status status,
                          std::optional<Wall> at);
  Result<void> set_body(const std::string& chat, const std::string& id, const std::string& body);
  Result<void> edit(const std::string& chat, const std::string& id, const std::string& text,
                    const Journal::May& may);
  Result<void> mark_deleted(const std::string& chat, const std::string& id, Journal::Reduce reduce,
                            const Journal::May& may);
  Result<void> forget(const std::string& chat, const std::string& id);
  Result<void> forget_pending();
  Result<void> join(const std::string& from, const std::string& into);
  Result<void> belong_to(const std::string& account);
  /// What is older than that, of a chat that has more than `chat_most` its oldest, and the oldest
  /// of all above `most`; a bounded piece of it. False: there is more to do.
  Result<bool> prune(std::int64_t kept_before, std::uint64_t most, std::uint64_t chat_most);

  Result<std::optional<Entry>> find(const std::string& chat, const std::string& id);
  Result<std::optional<Entry>> find(const std::string& id);
  Result<std::vector<Entry>> next(const Query& query, Position& position, std::size_t count);
  Result<std::vector<Entry>> oldest(const std::string& chat, std::size_t count);
  Result<bool> knows(const std::string& chat);
  Result<bool> any_external();
  Result<std::vector<Entry>> pending(std::size_t count);

  [[nodiscard]] std::uint64_t bytes() const { return static_cast<std::uint64_t>(bytes_); }

 private:
  struct Row {
    std::int64_t number = 0, chat = 0, size = 0;
    Status status = Status::none;
  };
  Result<std::optional<std::int64_t>> chat_number(const std::string& chat);
  Result<std::int64_t> make_chat(const std::string& chat);
  struct Changeable {
    Row row;
    Entry now;
  };
  Result<std::optional<Changeable>> changeable(const std::string& chat, const std::string& id,
                                               const Journal::May& may);
  Result<std::optional<Row>> row_of(const std::string& chat, const std::string& id);
  Result<void> grow(std::int64_t chat, std::int64_t by);
  Result<void> resize(const Row& row, std::int64_t size);
  Result<void> remove(const Row& row);
  Result<std::optional<Row>> first(store::Query query);
  Result<void> prune_chats(std::uint64_t chat_most, int& left);
  static Result<std::optional<Entry>> one(store::Query query);
  static Entry read(const store::Query& query);
  static Result<std::vector<Entry>> all(store::Query query);

  store::Database& db_;
  std::int64_t bytes_ = 0;
  std::set<std::int64_t> grown_;  ///< chats that may have more than their part

  using Statement = store::Statement;
#define POSTHORN_ROWS_                                                                    \
  "SELECT j.n, j.id, c.chat, j.at, j.what, j.direction, j.by_api, j.status, j.external, " \
  "j.body, j.deleted, j.edited FROM journal j CROSS JOIN journal_chats c ON c.n = j.chat "
  Statement sum_{db_, "SELECT sum(bytes) FROM journal_chats"};
  Statement state_{db_, "SELECT account FROM journal_state WHERE one = 1"};
  Statement save_account_{db_, "INSERT OR REPLACE INTO journal_state VALUES (1, ?1)"};
  Statement chat_{db_, "SELECT n FROM journal_chats WHERE chat = ?1"};
  Statement add_chat_{db_, "INSERT INTO journal_chats (chat, bytes) VALUES (?1, 0)"};
  Statement chat_bytes_{db_, "SELECT bytes FROM journal_chats WHERE n = ?1"};
  Statement grow_chat_{db_, "UPDATE journal_chats SET bytes = bytes + ?2 WHERE n = ?1"};
  Statement drop_chat_{db_, "DELETE FROM journal_chats WHERE n = ?1"};
  Statement any_of_chat_{db_, "SELECT 1 FROM journal WHERE chat = ?1 LIMIT 1"};
  Statement row_{db_,
                 "SELECT n, chat, size, status FROM journal WHERE id = ?1 AND +chat = ?2 LIMIT 1"};
  Statement add_{db_,
                 "INSERT INTO journal (chat, id, at, kept, what, direction, by_api, status,"
                 " external, body, size) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"};
  Statement set_status_{db_, "UPDATE journal SET status = ?2 WHERE n = ?1"};
  Statement set_at_{db_, "UPDATE journal SET at = ?2 WHERE n = ?1"};
  Statement set_body_{db_, "UPDATE journal SET body = ?2 WHERE n = ?1"};
  Statement set_edited_{db_, "UPDATE journal SET edited = ?2 WHERE n = ?1 AND deleted = 0"};
  Statement set_deleted_{db_,
                         "UPDATE journal SET deleted = 1, edited = NULL, body = ?2 WHERE n = ?1"};
  Statement set_size_{db_, "UPDATE journal SET size = ?2 WHERE n = ?1"};
  Statement remove_{db_, "DELETE FROM journal WHERE n = ?1"};
  Statement oldest_{db_, "SELECT n, chat, size, status, kept FROM journal ORDER BY n LIMIT 1"};
  Statement oldest_of_{db_,
                       "SELECT n, chat, size, status FROM journal WHERE chat = ?1"
                       " ORDER BY at, n LIMIT 1"};
  Statement find_{db_, POSTHORN_ROWS_ "WHERE j.id = ?2 AND +c.chat = ?1 LIMIT 1"};
  Statement find_id_{db_, POSTHORN_ROWS_ "WHERE j.id = ?1 ORDER BY j.n DESC LIMIT 1"};
  Statement of_chat_{db_, POSTHORN_ROWS_
                     "WHERE j.chat = ?1 AND (j.at, j.n) < (?2, ?3) AND j.at >= ?4 AND j.what = ?5"
                     " AND (?6 < 0 OR j.direction = ?6) AND (?7 = '' OR j.external = ?7)"
                     " ORDER BY j.at DESC, j.n DESC LIMIT ?8"};
  Statement on_whatsapp_{db_, POSTHORN_ROWS_
                         "WHERE j.chat = ?1 AND j.what = 0 AND j.status IN (0, 2, 3, 4)"
                         " ORDER BY j.at, j.n LIMIT ?2"};
  Statement of_time_{db_, POSTHORN_ROWS_
                     "WHERE j.what = ?5 AND j.direction = ?6 AND (j.at, j.n) < (?2, ?3)"
                     " AND j.at >= ?4 AND c.chat <> ?1"
                     " ORDER BY j.at DESC, j.n DESC LIMIT ?7"};
  Statement of_external_{db_, POSTHORN_ROWS_
                         "WHERE j.external = ?1 AND j.external <> '' AND (j.at, j.n) < (?2, ?3)"
                         " AND j.at >= ?4 AND j.what = ?5 AND (?6 < 0 OR j.direction = ?6)"
                         " ORDER BY j.at DESC, j.n DESC LIMIT ?7"};
  Statement pending_{
      db_, POSTHORN_ROWS_ "WHERE j.status IN (1, 8) ORDER BY j.at DESC, j.n DESC LIMIT ?1"};
  Statement any_external_{db_, "SELECT 1 FROM journal WHERE external <> '' LIMIT 1"};
  Statement first_pending_{
      db_, "SELECT n, chat, size, status FROM journal WHERE status IN (1, 8) LIMIT 1"};
#undef POSTHORN_ROWS_
};

}  // namespace posthorn::journal
