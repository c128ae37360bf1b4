#include "posthorn/store/message_store.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "posthorn/base/crypto.h"
#include "store/key_set.h"
#include "store/peer_bounds.h"

namespace posthorn::store {
namespace {

constexpr std::int64_t kSeenMax = 20'000;
constexpr std::int64_t kSeenSeconds = std::int64_t{14} * 86'400;
constexpr std::int64_t kSentMax = 2'000;
constexpr std::int64_t kSentSeconds = 86'400;
constexpr std::int64_t kSentBytesMax = 4 << 20;
constexpr std::int64_t kOutlineMax = 20'000;
constexpr std::int64_t kOutlineSeconds = std::int64_t{30} * 86'400;
constexpr std::int64_t kReceivedMax = 2'000;
constexpr std::int64_t kReceivedBytesMax = 4 << 20;
constexpr std::int64_t kPeopleMax = 20'000;
/// More than people with a device list: the phone's contacts come with their names.
constexpr std::int64_t kNamesMax = 50'000;
/// Statuses that wait for the next message's transaction.
constexpr std::size_t kRaisedMax = 64;
/// Writes between two prunings, so that a burst does not pay for them one by one.
constexpr std::uint32_t kPruneEvery = 2048;
constexpr std::size_t kPruneEveryBytes = 1 << 20;

// Seen, sent and received are appended in order of rowid: a burst dirties one page, not many.
constexpr const char* kSteps[] = {
    "CREATE TABLE names (pn TEXT PRIMARY KEY, lid TEXT NOT NULL UNIQUE) WITHOUT ROWID;"
    "CREATE TABLE device_lists (user TEXT PRIMARY KEY, devices TEXT NOT NULL,"
    " timestamp INTEGER NOT NULL, raw_id INTEGER NOT NULL, fetched_at INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE seen (n INTEGER PRIMARY KEY, key INTEGER NOT NULL, at INTEGER NOT NULL);"
    "CREATE TABLE sent (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, chat TEXT NOT NULL,"
    " message BLOB NOT NULL, at INTEGER NOT NULL, status INTEGER NOT NULL);"
    "CREATE TABLE received (n INTEGER PRIMARY KEY, id TEXT NOT NULL, chat TEXT NOT NULL,"
    " sender TEXT NOT NULL, message BLOB NOT NULL, unread INTEGER NOT NULL);"
    "CREATE TABLE push_names (user TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE tokens (user TEXT PRIMARY KEY, token BLOB NOT NULL, timestamp INTEGER NOT NULL,"
    " issued_at INTEGER NOT NULL) WITHOUT ROWID;",
    "ALTER TABLE sent ADD COLUMN posted TEXT NOT NULL DEFAULT '';",
    "CREATE TABLE polls (n INTEGER PRIMARY KEY, id TEXT NOT NULL, chat TEXT NOT NULL,"
    " sender TEXT NOT NULL, message BLOB NOT NULL, at INTEGER NOT NULL);"
    "CREATE TABLE votes (key INTEGER PRIMARY KEY, at INTEGER NOT NULL);"
    "CREATE TABLE timers (chat TEXT PRIMARY KEY, seconds INTEGER NOT NULL,"
    " set_at INTEGER NOT NULL) WITHOUT ROWID;",
};

/// SQLite integers are signed; the key is only compared.
std::int64_t to_signed(std::uint64_t key) { return static_cast<std::int64_t>(key); }

Result<std::optional<std::string>> one_text(Query query) {
  TRY(const bool found, query.next());
  if (!found) return std::optional<std::string>();
  return std::optional<std::string>(query.text(0));
}

}  // namespace

class MessageStore::Impl {
 public:
  explicit Impl(Database& db) : db_(db) {}

  Result<void> read_seen() {
    seen_keys_.clear();
    Query query = all_seen_.query();
    while (true) {
      TRY(const bool found, query.next());
      if (!found) return {};
      seen_keys_.insert(static_cast<std::uint64_t>(query.integer(0)));
    }
  }

  Result<void> count_write(Wall now, std::size_t bytes) {
    ++writes_;
    bytes_ += bytes;
    if (writes_ < kPruneEvery && bytes_ < kPruneEveryBytes) return {};
    return prune(now);
  }

  Result<void> prune(Wall now) {
    // A clock that only guesses must not make messages old.
    const std::int64_t seconds = now.trusted ? now.unix_seconds() : 0;
    TRY(prune_seen_.run(kSeenMax, seconds - kSeenSeconds));
    TRY(prune_sent_.run(kSentMax, seconds - kSentSeconds));
    TRY(prune_sent_bytes_.run(kSentBytesMax));
    TRY(prune_outlines_.run(kOutlineMax, seconds - kOutlineSeconds));
    TRY(prune_received_.run(kReceivedMax));
    TRY(prune_received_bytes_.run(kReceivedBytesMax));
    TRY(prune_people());
    writes_ = 0;
    bytes_ = 0;
    return read_seen();
  }

  /// What each stranger adds a row to. Whatever is dropped is learned again.
  Result<void> prune_people() {
    constexpr RowBound kBounds[] = {
        {"SELECT count(*) FROM device_lists",
         "DELETE FROM device_lists WHERE user IN"
         " (SELECT user FROM device_lists ORDER BY fetched_at LIMIT ?1)",
         kPeopleMax},
        {"SELECT count(*) FROM tokens",
         "DELETE FROM tokens WHERE user IN"
         " (SELECT user FROM tokens ORDER BY max(timestamp, issued_at) LIMIT ?1)",
         kPeopleMax},
        {"SELECT count(*) FROM push_names",
         "DELETE FROM push_names WHERE user IN (SELECT user FROM push_names WHERE user NOT IN"
         " (SELECT chat FROM received) LIMIT ?1)",
         kPeopleMax},
        {"SELECT count(*) FROM names",
         "DELETE FROM names WHERE pn IN (SELECT pn FROM names WHERE lid || '@lid' NOT IN"
         " (SELECT user FROM device_lists) LIMIT ?1)",
         kNamesMax},
    };
    return bound_rows(db_, kBounds);
  }

  Result<void> write_raised() {
    const auto raised = std::exchange(raised_, {});
    if (raised.empty()) return {};
    TRY(auto transaction, db_.begin());
    for (const auto& [id, status] : raised) {
      TRY(raise_status_.run(id, static_cast<int>(status)));
    }
    return transaction.commit();
  }

  /// The row that `query` is at next, but for its content.
  Result<std::optional<Sent>> one_sent(Query& query, std::string_view id) const {
    TRY(const bool found, query.next());
    if (!found) return std::optional<Sent>();
    Sent sent;
    sent.id = std::string(id);
    sent.chat = std::string(query.text(0));
    sent.posted = std::string(query.text(1));
    sent.at = Wall::from_unix(query.integer(2));
    sent.status = static_cast<Sent::Status>(query.integer(3));
    const auto raised = raised_.find(id);
    if (raised != raised_.end()) sent.status = std::max(sent.status, raised->second);
    return std::optional(std::move(sent));
  }

  Result<void> move_token(std::string_view from, std::string_view to) {
    TRY(move_token_.run(from, to));
    return drop_token_.run(from);
  }

  Database& db_;
  KeySet seen_keys_;
  std::uint32_t writes_ = 0;                                 ///< since the last pruning
  std::size_t bytes_ = 0;                                    ///< of sent messages, since then
  std::map<std::string, Sent::Status, std::less<>> raised_;  ///< not written yet

  Statement lid_of_{db_, "SELECT lid FROM names WHERE pn = ?1"};
  Statement pn_of_{db_, "SELECT pn FROM names WHERE lid = ?1"};
  Statement drop_name_{db_, "DELETE FROM names WHERE pn = ?1 OR lid = ?2"};
  Statement add_name_{db_, "INSERT INTO names (pn, lid) VALUES (?1, ?2)"};

  Statement find_devices_{
      db_, "SELECT devices, timestamp, raw_id, fetched_at FROM device_lists WHERE user = ?1"};
  Statement save_devices_{
      db_,
      "INSERT OR REPLACE INTO device_lists (user, devices, timestamp, raw_id, fetched_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5)"};
  Statement drop_devices_{db_, "DELETE FROM device_lists WHERE user = ?1"};

  Statement all_seen_{db_, "SELECT key FROM seen"};
  Statement add_seen_{db_, "INSERT INTO seen (key, at) VALUES (?1, ?2)"};
  Statement prune_seen_{db_,
                        "DELETE FROM seen WHERE n <= (SELECT max(n) FROM seen) - ?1 OR at < ?2"};

  Statement find_sent_{db_,
                       "SELECT chat, posted, at, status, message FROM sent"
                       " WHERE id = ?1 AND length(message) > 0"};
  Statement find_outline_{db_, "SELECT chat, posted, at, status FROM sent WHERE id = ?1"};
  Statement save_sent_{db_,
                       "INSERT OR REPLACE INTO sent (id, chat, posted, message, at, status)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
  Statement raise_status_{db_, "UPDATE sent SET status = ?2 WHERE id = ?1 AND status < ?2"};
  // The content goes first, the row with what receipts need stays.
  Statement prune_sent_{db_,
                        "UPDATE sent SET message = x'' WHERE length(message) > 0 AND"
                        " (n <= (SELECT max(n) FROM sent) - ?1 OR at < ?2)"};
  Statement prune_sent_bytes_{db_,
                              "UPDATE sent SET message = x'' WHERE length(message) > 0 AND"
                              " n <= (SELECT max(n) FROM"
                              " (SELECT n, sum(length(message)) OVER (ORDER BY n DESC) AS newer"
                              " FROM sent) WHERE newer > ?1)"};
  Statement prune_outlines_{
      db_, "DELETE FROM sent WHERE n <= (SELECT max(n) FROM sent) - ?1 OR at < ?2"};

  Statement add_received_{
      db_, "INSERT INTO received (id, chat, sender, message, unread) VALUES (?1, ?2, ?3, ?4, ?5)"};
  // Without an index: 2,000 rows are read in a fraction of a millisecond, and an index on random
  // ids would cost every received message a page of its own on flash.
  Statement find_received_{db_,
                           "SELECT sender, message, unread FROM received"
                           " WHERE chat = ?1 AND id = ?2 ORDER BY n DESC LIMIT 1"};
  Statement others_wrote_{
      db_, "SELECT 1 FROM received WHERE chat = ?1 AND id = ?2 AND sender <> ?3 LIMIT 1"};
  Statement written_by_{db_, "SELECT id FROM received WHERE chat = ?1 AND sender = ?2"};
  Statement unread_{db_,
                    "SELECT id, sender FROM received WHERE chat = ?1 AND unread = 1 ORDER BY n"};
  Statement mark_read_{db_,
                       "UPDATE received SET unread = 0 WHERE chat = ?1 AND id = ?2 AND unread = 1"};
  Statement prune_received_{db_,
                            "DELETE FROM received WHERE n <= (SELECT max(n) FROM received) - ?1"};

  Statement prune_received_bytes_{db_,
                                  "UPDATE received SET message = x'' WHERE length(message) > 0 AND"
                                  " n <= (SELECT max(n) FROM"
                                  " (SELECT n, sum(length(message)) OVER (ORDER BY n DESC) AS newer"
                                  " FROM received) WHERE newer > ?1)"};

  Statement find_push_name_{db_, "SELECT name FROM push_names WHERE user = ?1"};
  Statement save_push_name_{db_, "INSERT OR REPLACE INTO push_names (user, name) VALUES (?1, ?2)"};

  Statement find_token_{db_, "SELECT token, timestamp, issued_at FROM tokens WHERE user = ?1"};
  Statement save_token_{db_,
                        "INSERT INTO tokens (user, token, timestamp, issued_at)"
                        " VALUES (?1, ?2, ?3, 0) ON CONFLICT (user) DO UPDATE"
                        " SET token = ?2, timestamp = ?3 WHERE timestamp < ?3"};
  Statement save_issued_{db_,
                         "INSERT INTO tokens (user, token, timestamp, issued_at)"
                         " VALUES (?1, x'', 0, ?2) ON CONFLICT (user) DO UPDATE"
                         " SET issued_at = ?2 WHERE issued_at < ?2"};

  Statement move_devices_{db_, "UPDATE OR IGNORE device_lists SET user = ?2 WHERE user = ?1"};
  Statement move_push_name_{db_, "UPDATE OR IGNORE push_names SET user = ?2 WHERE user = ?1"};
  Statement drop_push_name_{db_, "DELETE FROM push_names WHERE user = ?1"};
  Statement move_received_{db_,
                           "UPDATE received SET chat = CASE chat WHEN ?1 THEN ?2 ELSE chat END,"
                           " sender = CASE sender WHEN ?1 THEN ?2 ELSE sender END"
                           " WHERE chat = ?1 OR sender = ?1"};
  Statement move_token_{db_,
                        "INSERT INTO tokens (user, token, timestamp, issued_at)"
                        " SELECT ?2, token, timestamp, issued_at FROM tokens WHERE user = ?1"
                        " ON CONFLICT (user) DO UPDATE SET"
                        " token = CASE WHEN excluded.timestamp > timestamp"
                        "  THEN excluded.token ELSE token END,"
                        " timestamp = max(timestamp, excluded.timestamp),"
                        " issued_at = max(issued_at, excluded.issued_at)"};
  Statement drop_token_{db_, "DELETE FROM tokens WHERE user = ?1"};

  PollStore polls_{db_};
  TimerStore timers_{db_};
};

MessageStore::MessageStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MessageStore::~MessageStore() { (void)impl_->write_raised(); }

Result<std::unique_ptr<MessageStore>> MessageStore::open(Database& database, Wall now) {
  TRY(database.migrate("messages", kSteps));
  auto impl = std::make_unique<Impl>(database);
  TRY(impl->prune(now));
  return std::unique_ptr<MessageStore>(new MessageStore(std::move(impl)));
}

Result<std::optional<std::string>> MessageStore::lid_of(std::string_view pn) {
  return one_text(impl_->lid_of_.query(pn));
}

Result<std::optional<std::string>> MessageStore::pn_of(std::string_view lid) {
  return one_text(impl_->pn_of_.query(lid));
}

Result<bool> MessageStore::save_name(std::string_view pn, std::string_view lid) {
  TRY(const auto known, lid_of(pn));
  if (known && *known == lid) return false;
  TRY(auto transaction, impl_->db_.begin());
  TRY(impl_->drop_name_.run(pn, lid));
  TRY(impl_->add_name_.run(pn, lid));
  TRY(transaction.commit());
  return true;
}

Result<std::optional<MessageStore::DeviceList>> MessageStore::device_list(std::string_view user) {
  Query query = impl_->find_devices_.query(user);
  TRY(const bool found, query.next());
  if (!found) return std::optional<DeviceList>();
  DeviceList list;
  list.devices = std::string(query.text(0));
  list.timestamp = query.integer(1);
  list.raw_id = static_cast<std::uint32_t>(query.integer(2));
  list.fetched_at = Wall::from_unix(query.integer(3));
  return std::optional(std::move(list));
}

Result<void> MessageStore::save_device_list(std::string_view user, const DeviceList& list) {
  return impl_->save_devices_.run(user, list.devices, list.timestamp, list.raw_id,
                                  list.fetched_at.unix_seconds());
}

Result<void> MessageStore::drop_device_list(std::string_view user) {
  return impl_->drop_devices_.run(user);
}

std::uint64_t MessageStore::seen_key(std::string_view chat, std::string_view id,
                                     std::string_view sender) {
  std::string text;
  text.reserve(chat.size() + id.size() + sender.size() + 2);
  text.append(chat).append(1, '\0').append(id).append(1, '\0').append(sender);
  const auto digest = crypto::sha256(as_bytes(text));
  std::uint64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

bool MessageStore::was_seen(std::uint64_t key) const { return impl_->seen_keys_.contains(key); }

Result<void> MessageStore::save_seen(std::uint64_t key, Wall now) {
  TRY(impl_->add_seen_.run(to_signed(key), now.unix_seconds()));
  impl_->seen_keys_.insert(key);
  return impl_->count_write(now, 0);
}

Result<void> MessageStore::reload_seen() { return impl_->read_seen(); }

Result<std::optional<MessageStore::Sent>> MessageStore::sent(std::string_view id) {
  Query query = impl_->find_sent_.query(id);
  TRY(auto sent, impl_->one_sent(query, id));
  if (sent) sent->message = to_bytes(query.blob(4));
  return sent;
}

Result<std::optional<MessageStore::Sent>> MessageStore::sent_outline(std::string_view id) {
  Query query = impl_->find_outline_.query(id);
  return impl_->one_sent(query, id);
}

Result<void> MessageStore::save_sent(const Sent& message) {
  TRY(impl_->write_raised());
  TRY(impl_->save_sent_.run(message.id, message.chat, message.posted, message.message,
                            message.at.unix_seconds(), static_cast<int>(message.status)));
  return impl_->count_write(message.at, message.message.size());
}

Result<void> MessageStore::raise_status(std::string_view id, Sent::Status status) {
  if (status == Sent::Status::acked) {
    TRY(auto transaction, impl_->db_.begin(WrittenBy::the_next));
    TRY(impl_->raise_status_.run(id, static_cast<int>(status)));
    return transaction.commit();
  }
  Sent::Status& raised = impl_->raised_.try_emplace(std::string(id), status).first->second;
  raised = std::max(raised, status);
  if (impl_->raised_.size() < kRaisedMax) return {};
  return impl_->write_raised();
}

Result<void> MessageStore::save_received(const Received& message) {
  impl_->bytes_ += message.message.size();
  return impl_->add_received_.run(message.id, message.chat, message.sender, message.message,
                                  message.unread ? 1 : 0);
}

PollStore& MessageStore::polls() { return impl_->polls_; }

TimerStore& MessageStore::timers() { return impl_->timers_; }

Result<std::optional<MessageStore::Received>> MessageStore::received(std::string_view chat,
                                                                     std::string_view id) {
  Query query = impl_->find_received_.query(chat, id);
  TRY(const bool found, query.next());
  if (!found) return std::optional<Received>();
  Received message;
  message.id = std::string(id);
  message.chat = std::string(chat);
  message.sender = std::string(query.text(0));
  message.message = to_bytes(query.blob(1));
  message.unread = query.integer(2) != 0;
  return std::optional(std::move(message));
}

Result<bool> MessageStore::others_wrote(std::string_view chat, std::string_view id,
                                        std::string_view sender) {
  return impl_->others_wrote_.query(chat, id, sender).next();
}

Result<std::vector<std::string>> MessageStore::written_by(std::string_view chat,
                                                          std::string_view sender,
                                                          std::span<const std::string> ids) {
  // One reading of the table for all of them: it has no index, and there may be thousands.
  const std::set<std::string_view> wanted(ids.begin(), ids.end());
  std::vector<std::string> found;
  Query query = impl_->written_by_.query(chat, sender);
  while (true) {
    TRY(const bool more, query.next());
    if (!more) return found;
    if (wanted.contains(query.text(0))) found.emplace_back(query.text(0));
  }
}

Result<std::vector<MessageStore::Received>> MessageStore::unread(std::string_view chat) {
  std::vector<Received> list;
  Query query = impl_->unread_.query(chat);
  while (true) {
    TRY(const bool found, query.next());
    if (!found) return list;
    Received message;
    message.id = std::string(query.text(0));
    message.chat = std::string(chat);
    message.sender = std::string(query.text(1));
    message.unread = true;
    list.push_back(std::move(message));
  }
}

Result<void> MessageStore::mark_read(std::string_view chat, std::span<const std::string> ids) {
  TRY(auto transaction, impl_->db_.begin());
  for (const std::string& id : ids) {
    TRY(impl_->mark_read_.run(chat, id));
  }
  return transaction.commit();
}

Result<std::optional<std::string>> MessageStore::push_name(std::string_view user) {
  return one_text(impl_->find_push_name_.query(user));
}

Result<void> MessageStore::save_push_name(std::string_view user, std::string_view name) {
  return impl_->save_push_name_.run(user, name);
}

Result<MessageStore::Token> MessageStore::token(std::string_view user) {
  Token token;
  Query query = impl_->find_token_.query(user);
  TRY(const bool found, query.next());
  if (!found) return token;
  token.token = to_bytes(query.blob(0));
  token.timestamp = query.integer(1);
  token.issued_at = query.integer(2);
  return token;
}

Result<void> MessageStore::save_token(std::string_view user, ByteView token,
                                      std::int64_t timestamp) {
  return impl_->save_token_.run(user, token, timestamp);
}

Result<void> MessageStore::save_token_issued(std::string_view user, std::int64_t issued_at) {
  return impl_->save_issued_.run(user, issued_at);
}

Result<void> MessageStore::move_user(std::string_view from, std::string_view to) {
  TRY(auto transaction, impl_->db_.begin());
  TRY(impl_->move_devices_.run(from, to));
  TRY(impl_->drop_devices_.run(from));
  TRY(impl_->move_push_name_.run(from, to));
  TRY(impl_->drop_push_name_.run(from));
  TRY(impl_->move_received_.run(from, to));
  TRY(impl_->move_token(from, to));
  TRY(impl_->polls_.move_user(from, to));
  TRY(impl_->timers_.move_user(from, to));
  return transaction.commit();
}

Result<void> MessageStore::prune(Wall now) { return impl_->prune(now); }

Result<void> MessageStore::clear() {
  TRY(auto transaction, impl_->db_.begin());
  TRY(impl_->db_.execute(
      "DELETE FROM names; DELETE FROM device_lists; DELETE FROM seen; DELETE FROM sent;"
      "DELETE FROM received; DELETE FROM push_names; DELETE FROM tokens;"
      "DELETE FROM polls; DELETE FROM votes; DELETE FROM timers;"));
  TRY(transaction.commit());
  impl_->seen_keys_.clear();
  impl_->raised_.clear();
  return {};
}

}  // namespace posthorn::store
