#include "posthorn/store/people_store.h"

#include <utility>

namespace posthorn::store {
namespace {

// Columns of chats have defaults, since a message that comes in makes a row of its own.
constexpr const char* kSteps[] = {
    "CREATE TABLE contacts (user TEXT PRIMARY KEY, full_name TEXT NOT NULL,"
    " first_name TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE chats (user TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '',"
    " archived INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0,"
    " marked_unread INTEGER NOT NULL DEFAULT 0, muted_until INTEGER NOT NULL DEFAULT 0,"
    " last_at INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE labels (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE labelled (user TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (user, label))"
    " WITHOUT ROWID;",
};

constexpr std::size_t kTouchedMax = 64;
constexpr std::uint32_t kPruneEvery = 2048;

// One person may have rows under the number and under the LID: the API shows the number, once.
constexpr const char* kChatId =
    "CASE WHEN user LIKE '%@lid' THEN coalesce((SELECT pn || '@c.us' FROM names WHERE lid ="
    " substr(user, 1, length(user) - 4)), user) ELSE replace(user, '@s.whatsapp.net', '@c.us')"
    " END";

const std::string& each_person_sql() {
  static const std::string sql =
      std::string("SELECT ") + kChatId +
      " AS chat, max(name), max(contact) FROM ("
      "SELECT user, '' AS name, full_name AS contact FROM contacts"
      " UNION ALL SELECT user, name, '' FROM push_names"
      " UNION ALL SELECT user, name, '' FROM chats WHERE user LIKE '%@g.us'"
      " UNION ALL SELECT jid, subject, '' FROM groups)"
      " GROUP BY 1 ORDER BY 1";
  return sql;
}

/// Chats that the phone told of, those that something came in, and those that we wrote to.
const std::string& each_chat_sql() {
  static const std::string sql =
      std::string("SELECT ") + kChatId +
      " AS chat, max(name), max(archived), max(last_at) AS newest,"
      " max((SELECT seconds FROM timers WHERE timers.chat = rows.user)),"
      " max((SELECT set_at FROM timers WHERE timers.chat = rows.user)),"
      " max((SELECT name FROM push_names WHERE push_names.user = rows.user)),"
      " max((SELECT full_name FROM contacts WHERE contacts.user = rows.user)) FROM ("
      "SELECT user, name, archived, last_at FROM chats"
      " UNION ALL SELECT chat AS user, '', 0, max(at) FROM sent GROUP BY chat) AS rows"
      " GROUP BY 1 ORDER BY newest DESC LIMIT ?1";
  return sql;
}

}  // namespace

PeopleStore::PeopleStore(Database& database)
    : db_(database),
      each_person_(db_, each_person_sql().c_str()),
      each_chat_(db_, each_chat_sql().c_str()) {}

PeopleStore::~PeopleStore() { (void)write_touched(); }

Result<std::unique_ptr<PeopleStore>> PeopleStore::open(Database& database) {
  TRY(database.migrate("people", kSteps));
  std::unique_ptr<PeopleStore> store(new PeopleStore(database));
  TRY(store->prune());
  return store;
}

Result<std::optional<PeopleStore::Contact>> PeopleStore::contact(std::string_view user) {
  Query query = find_contact_.query(user);
  TRY(const bool found, query.next());
  if (!found) return std::optional<Contact>();
  return std::optional(Contact{std::string(query.text(0)), std::string(query.text(1))});
}

Result<void> PeopleStore::save_contact(std::string_view user, const Contact& contact) {
  TRY(save_contact_.run(user, contact.full_name, contact.first_name));
  return ++writes_ < kPruneEvery ? Result<void>() : prune();
}

Result<void> PeopleStore::drop_contact(std::string_view user) { return drop_contact_.run(user); }

Result<std::optional<PeopleStore::Chat>> PeopleStore::chat(std::string_view user) {
  Chat chat;
  {
    Query query = find_chat_.query(user);
    TRY(const bool found, query.next());
    if (!found) return std::optional<Chat>();
    chat.name = std::string(query.text(0));
    chat.archived = query.integer(1) != 0;
    chat.pinned = query.integer(2) != 0;
    chat.marked_unread = query.integer(3) != 0;
    chat.muted_until = query.integer(4);
    chat.last_at = query.integer(5);
  }
  const auto touched = touched_.find(user);
  if (touched != touched_.end()) chat.last_at = std::max(chat.last_at, touched->second);
  return std::optional(std::move(chat));
}

Result<void> PeopleStore::save_chat(std::string_view user, const Chat& chat) {
  TRY(save_chat_.run(user, chat.name, chat.archived, chat.pinned, chat.marked_unread,
                     chat.muted_until, chat.last_at));
  return ++writes_ < kPruneEvery ? Result<void>() : prune();
}

Result<void> PeopleStore::drop_chat(std::string_view user) {
  touched_.erase(std::string(user));
  return drop_chat_.run(user);
}

Result<void> PeopleStore::touch(std::string_view user, std::int64_t at) {
  touched_[std::string(user)] = at;
  return touched_.size() < kTouchedMax ? Result<void>() : write_touched();
}

Result<std::int64_t> PeopleStore::last_at(std::string_view user) {
  TRY(const auto row, chat(user));
  const auto touched = touched_.find(user);
  return std::max(row ? row->last_at : 0, touched != touched_.end() ? touched->second : 0);
}

Result<void> PeopleStore::write_touched() {
  const auto touched = std::exchange(touched_, {});
  if (touched.empty()) return {};
  TRY(auto transaction, db_.begin());
  for (const auto& [user, at] : touched) {
    TRY(touch_.run(user, at));
    ++writes_;
  }
  return transaction.commit();
}

Result<void> PeopleStore::save_label(std::string_view id, std::string_view name) {
  return save_label_.run(id, name);
}

Result<void> PeopleStore::drop_label(std::string_view id) {
  TRY(drop_label_.run(id));
  return drop_labelled_.run(id);
}

Result<void> PeopleStore::set_labelled(std::string_view label, std::string_view user, bool on) {
  ++writes_;
  return (on ? label_ : unlabel_).run(label, user);
}

Result<std::vector<std::string>> PeopleStore::labels_of(std::string_view user) {
  std::vector<std::string> names;
  Query query = labels_of_.query(user);
  while (true) {
    TRY(const bool found, query.next());
    if (!found) return names;
    names.emplace_back(query.text(0));
  }
}

Result<void> PeopleStore::each_person(const std::function<void(const Listed&)>& take) {
  Query query = each_person_.query();
  while (true) {
    TRY(const bool found, query.next());
    if (!found) return {};
    Listed row;
    row.chat = query.text(0);
    row.name = query.text(1);
    row.contact = query.text(2);
    take(row);
  }
}

Result<void> PeopleStore::each_chat(std::size_t most,
                                    const std::function<void(const Listed&)>& take) {
  TRY(write_touched());
  Query query = each_chat_.query(most);
  while (true) {
    TRY(const bool found, query.next());
    if (!found) return {};
    const std::string_view push_name = query.text(6);
    Listed row;
    row.chat = query.text(0);
    row.name = push_name.empty() ? query.text(1) : push_name;
    row.contact = query.text(7);
    row.archived = query.integer(2) != 0;
    row.timer = query.integer(4);
    row.timer_set_at = query.integer(5);
    take(row);
  }
}

Result<void> PeopleStore::prune() {
  struct Bound {
    const char* drop;
    std::int64_t most;
  };
  constexpr Bound kBounds[] = {
      {"DELETE FROM contacts WHERE user IN (SELECT user FROM contacts"
       " ORDER BY user LIMIT -1 OFFSET ?1)",
       kMostContacts},
      {"DELETE FROM chats WHERE user IN (SELECT user FROM chats"
       " ORDER BY last_at DESC LIMIT -1 OFFSET ?1)",
       kMostChats},
      {"DELETE FROM labels WHERE id IN (SELECT id FROM labels LIMIT -1 OFFSET ?1)", kMostLabels},
      {"DELETE FROM labelled WHERE (user, label) IN"
       " (SELECT user, label FROM labelled LIMIT -1 OFFSET ?1)",
       kMostLabelled},
  };
  writes_ = 0;
  for (const Bound& bound : kBounds) {
    Statement drop(db_, bound.drop);
    TRY(drop.run(bound.most));
  }
  return {};
}

Result<void> PeopleStore::clear() {
  touched_.clear();
  return db_.execute(
      "DELETE FROM contacts; DELETE FROM chats; DELETE FROM labels; DELETE FROM labelled");
}

}  // namespace posthorn::store
