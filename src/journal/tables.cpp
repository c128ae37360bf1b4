#include "journal/tables.h"

#include <algorithm>

namespace posthorn::journal {

namespace {

/// Append only. Rows are appended in order of rowid; whom a chat's number stands for is said once.
constexpr const char* kSteps[] = {
    "CREATE TABLE journal_state (one INTEGER PRIMARY KEY CHECK (one = 1), account TEXT NOT NULL);"
    "CREATE TABLE journal_chats (n INTEGER PRIMARY KEY, chat TEXT NOT NULL UNIQUE,"
    " bytes INTEGER NOT NULL);"
    "CREATE TABLE journal (n INTEGER PRIMARY KEY, chat INTEGER NOT NULL, id TEXT NOT NULL,"
    " at INTEGER NOT NULL, kept INTEGER NOT NULL, what INTEGER NOT NULL,"
    " direction INTEGER NOT NULL, by_api INTEGER NOT NULL, status INTEGER NOT NULL,"
    " external TEXT NOT NULL, size INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,"
    " edited TEXT, body TEXT NOT NULL);"
    "CREATE INDEX journal_by_id ON journal (id);"
    "CREATE INDEX journal_by_chat ON journal (chat, at);"
    "CREATE INDEX journal_by_time ON journal (what, direction, at);"
    "CREATE INDEX journal_by_external ON journal (external, at) WHERE external <> '';"
    "CREATE INDEX journal_pending ON journal (at) WHERE status IN (1, 8);",
};

/// What a row costs beside its texts, with its places in the indexes.
constexpr std::int64_t kRowCost = 160;
/// Rows that one call of prune() takes away, so that it holds nobody up.
constexpr int kPruneMost = 256;

/// As it is counted against the limits.
std::int64_t size_of(const Entry& entry) {
  const std::size_t texts = entry.id.size() + entry.external_id.size() + entry.body.size() +
                            (entry.edited ? entry.edited->size() : 0);
  return kRowCost + static_cast<std::int64_t>(texts);
}

std::int64_t number_of(std::optional<Direction> direction) {
  return direction ? static_cast<std::int64_t>(*direction) : -1;
}

}  // namespace

Result<void> Tables::prepare() {
  TRY(db_.migrate("journal", kSteps));
  return reload();
}

Result<void> Tables::reload() {
  store::Query query = sum_.query();
  TRY(const bool found, query.next());
  bytes_ = found ? query.integer(0) : 0;
  return {};
}

Result<std::optional<std::int64_t>> Tables::chat_number(const std::string& chat) {
  store::Query query = chat_.query(chat);
  TRY(const bool found, query.next());
  return found ? std::optional(query.integer(0)) : std::nullopt;
}

Result<std::int64_t> Tables::make_chat(const std::string& chat) {
  TRY(const auto known, chat_number(chat));
  if (known) return *known;
  TRY(add_chat_.run(chat));
  TRY(const auto made, chat_number(chat));
  if (!made) return fail(Errc::io, "journal: the chat was not written");
  return *made;
}

Result<std::optional<Tables::Row>> Tables::first(store::Query query) {
  TRY(const bool found, query.next());
  if (!found) return std::optional<Row>();
  return std::optional(Row{query.integer(0), query.integer(1), query.integer(2),
                           static_cast<Status>(query.integer(3))});
}

Result<std::optional<Tables::Row>> Tables::row_of(const std::string& chat, const std::string& id) {
  TRY(const auto number, chat_number(chat));
  if (!number) return std::optional<Row>();
  return first(row_.query(id, *number));
}

Result<void> Tables::grow(std::int64_t chat, std::int64_t by) {
  bytes_ = std::max<std::int64_t>(0, bytes_ + by);
  if (by > 0) grown_.insert(chat);
  return grow_chat_.run(chat, by);
}

Result<void> Tables::resize(const Row& row, std::int64_t size) {
  if (size == row.size) return {};
  TRY(set_size_.run(row.number, size));
  return grow(row.chat, size - row.size);
}

Result<void> Tables::remove(const Row& row) {
  TRY(remove_.run(row.number));
  TRY(grow(row.chat, -row.size));
  bool left = false;
  {
    store::Query query = any_of_chat_.query(row.chat);
    TRY(left, query.next());
  }
  if (left) return {};
  grown_.erase(row.chat);
  return drop_chat_.run(row.chat);
}

Result<bool> Tables::add(const Entry& entry, std::int64_t kept_at) {
  TRY(const std::int64_t chat, make_chat(entry.chat));
  TRY(const auto known, first(row_.query(entry.id, chat)));
  if (known) return false;
  const std::int64_t size = size_of(entry);
  TRY(add_.run(chat, entry.id, entry.at.unix_seconds(), kept_at, static_cast<int>(entry.what),
               static_cast<int>(entry.direction), entry.by_api, static_cast<int>(entry.status),
               entry.external_id, entry.body, size));
  TRY(grow(chat, size));
  return true;
}

Result<void> Tables::set_status(const std::string& chat, const std::string& id, Status status,
                                std::optional<Wall> at) {
  TRY(const auto row, row_of(chat, id));
  if (!row || !follows(status, row->status)) return {};
  if (at) TRY(set_at_.run(row->number, at->unix_seconds()));
  return set_status_.run(row->number, static_cast<int>(status));
}

/// nullopt: it is not there, is deleted, or may not be changed.
Result<std::optional<Tables::Changeable>> Tables::changeable(const std::string& chat,
                                                             const std::string& id,
                                                             const Journal::May& may) {
  TRY(const auto row, row_of(chat, id));
  if (!row) return std::optional<Changeable>();
  TRY(auto now, find(chat, id));
  if (!now || now->deleted || (may && !may(*now))) return std::optional<Changeable>();
  return std::optional(Changeable{*row, std::move(*now)});
}

Result<void> Tables::set_body(const std::string& chat, const std::string& id,
                              const std::string& body) {
  TRY(auto one, changeable(chat, id, nullptr));
  if (!one) return {};
  TRY(set_body_.run(one->row.number, body));
  one->now.body = body;
  return resize(one->row, size_of(one->now));
}

Result<void> Tables::edit(const std::string& chat, const std::string& id, const std::string& text,
                          const Journal::May& may) {
  TRY(auto one, changeable(chat, id, may));
  if (!one) return {};
  TRY(set_edited_.run(one->row.number, text));
  one->now.edited = text;
  return resize(one->row, size_of(one->now));
}

Result<void> Tables::mark_deleted(const std::string& chat, const std::string& id,
                                  Journal::Reduce reduce, const Journal::May& may) {
  TRY(auto one, changeable(chat, id, may));
  if (!one) return {};
  one->now.body = reduce == nullptr ? std::string() : reduce(one->now.body);
  one->now.edited.reset();
  TRY(set_deleted_.run(one->row.number, one->now.body));
  return resize(one->row, size_of(one->now));
}

Result<void> Tables::forget(const std::string& chat, const std::string& id) {
  TRY(const auto row, row_of(chat, id));
  return row ? remove(*row) : Result<void>();
}

Result<void> Tables::forget_pending() {
  while (true) {
    TRY(const auto row, first(first_pending_.query()));
    if (!row) return {};
    TRY(remove(*row));
  }
}

Result<void> Tables::join(const std::string& from, const std::string& into) {
  if (from == into) return {};
  TRY(const auto old, chat_number(from));
  if (!old) return {};
  TRY(const std::int64_t now, make_chat(into));
  std::int64_t bytes = 0;
  {
    store::Query query = chat_bytes_.query(*old);
    TRY(const bool found, query.next());
    if (found) bytes = query.integer(0);
  }
  // Rare: prepared when needed.
  store::Statement move(db_, "UPDATE journal SET chat = ?2 WHERE chat = ?1");
  TRY(move.run(*old, now));
  TRY(grow_chat_.run(now, bytes));
  grown_.erase(*old);
  grown_.insert(now);
  return drop_chat_.run(*old);
}

Result<void> Tables::belong_to(const std::string& account) {
  std::string before;
  {
    store::Query query = state_.query();
    TRY(const bool found, query.next());
    if (found) before = query.text(0);
  }
  if (account.empty() || account == before) return {};
  if (!before.empty()) {
    TRY(db_.execute("DELETE FROM journal; DELETE FROM journal_chats"));
    bytes_ = 0;
    grown_.clear();
  }
  return save_account_.run(account);
}

Result<void> Tables::prune_chats(std::uint64_t chat_most, int& left) {
  while (!grown_.empty() && left > 0) {
    const std::int64_t chat = *grown_.begin();
    std::int64_t bytes = 0;
    {
      store::Query query = chat_bytes_.query(chat);
      TRY(const bool found, query.next());
      if (found) bytes = query.integer(0);
    }
    if (bytes <= static_cast<std::int64_t>(chat_most)) {
      grown_.erase(chat);
      continue;
    }
    TRY(const auto oldest, first(oldest_of_.query(chat)));
    if (!oldest) {
      grown_.erase(chat);
      continue;
    }
    TRY(remove(*oldest));
    --left;
  }
  return {};
}

Result<bool> Tables::prune(std::int64_t kept_before, std::uint64_t most, std::uint64_t chat_most) {
  int left = kPruneMost;
  TRY(prune_chats(chat_most, left));
  while (left > 0) {
    std::optional<Row> oldest;
    std::int64_t kept = 0;
    {
      store::Query query = oldest_.query();
      TRY(const bool found, query.next());
      if (!found) return true;
      oldest = Row{query.integer(0), query.integer(1), query.integer(2), Status::none};
      kept = query.integer(4);
    }
    if (kept >= kept_before && bytes_ <= static_cast<std::int64_t>(most)) return grown_.empty();
    TRY(remove(*oldest));
    --left;
  }
  return false;
}

Entry Tables::read(const store::Query& query) {
  Entry entry;
  entry.number = query.integer(0);
  entry.id = query.text(1);
  entry.chat = query.text(2);
  entry.at = Wall::from_unix(query.integer(3));
  entry.what = static_cast<What>(query.integer(4));
  entry.direction = static_cast<Direction>(query.integer(5));
  entry.by_api = query.integer(6) != 0;
  entry.status = static_cast<Status>(query.integer(7));
  entry.external_id = query.text(8);
  entry.body = query.text(9);
  entry.deleted = query.integer(10) != 0;
  if (!query.is_null(11)) entry.edited = std::string(query.text(11));
  return entry;
}

Result<std::optional<Entry>> Tables::one(store::Query query) {
  TRY(const bool found, query.next());
  return found ? std::optional(read(query)) : std::nullopt;
}

Result<std::vector<Entry>> Tables::all(store::Query query) {
  std::vector<Entry> out;
  while (true) {
    TRY(const bool found, query.next());
    if (!found) return out;
    out.push_back(read(query));
  }
}

Result<std::optional<Entry>> Tables::find(const std::string& chat, const std::string& id) {
  return one(find_.query(chat, id));
}

Result<std::optional<Entry>> Tables::find(const std::string& id) { return one(find_id_.query(id)); }

Result<std::vector<Entry>> Tables::next(const Query& query, Position& position, std::size_t count) {
  const std::int64_t since = query.since ? query.since->unix_seconds() : INT64_MIN;
  const auto what = static_cast<int>(query.what);
  const std::int64_t direction = number_of(query.direction);
  const auto limit = static_cast<std::int64_t>(std::min<std::size_t>(count, 1 << 20));
  std::vector<Entry> out;
  if (query.chat) {
    TRY(const auto chat, chat_number(*query.chat));
    if (!chat) return out;
    TRY(out, all(of_chat_.query(*chat, position.at, position.number, since, what, direction,
                                query.external_id, limit)));
  } else if (!query.external_id.empty()) {
    TRY(out, all(of_external_.query(query.external_id, position.at, position.number, since, what,
                                    direction, limit)));
  } else if (query.direction) {
    TRY(out, all(of_time_.query(query.not_chat, position.at, position.number, since, what,
                                direction, limit)));
  } else {
    return fail(Errc::malformed, "journal: a chat, a direction or an externalId is needed");
  }
  if (!out.empty()) position = {out.back().at.unix_seconds(), out.back().number};
  return out;
}

Result<std::vector<Entry>> Tables::oldest(const std::string& chat, std::size_t count) {
  TRY(const auto number, chat_number(chat));
  if (!number) return std::vector<Entry>();
  return all(on_whatsapp_.query(*number, count));
}

Result<bool> Tables::knows(const std::string& chat) {
  TRY(const auto number, chat_number(chat));
  return number.has_value();
}

Result<bool> Tables::any_external() {
  store::Query query = any_external_.query();
  return query.next();
}

Result<std::vector<Entry>> Tables::pending(std::size_t count) { return all(pending_.query(count)); }

}  // namespace posthorn::journal
