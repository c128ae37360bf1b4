#include "posthorn/store/awaited_store.h"

namespace posthorn::store {
namespace {

constexpr const char* kSteps[] = {
    "CREATE TABLE awaited (key INTEGER PRIMARY KEY, stanza BLOB NOT NULL, giver INTEGER NOT NULL,"
    " until INTEGER NOT NULL);",
};

/// SQLite integers are signed; the key is only compared.
std::int64_t to_signed(std::uint64_t key) { return static_cast<std::int64_t>(key); }

}  // namespace

Result<std::unique_ptr<AwaitedStore>> AwaitedStore::open(Database& database) {
  TRY(database.migrate("awaited", kSteps));
  return std::unique_ptr<AwaitedStore>(new AwaitedStore(database));
}

Result<std::vector<AwaitedStore::Message>> AwaitedStore::all() {
  std::vector<Message> list;
  Query query = all_.query();
  while (true) {
    TRY(const bool found, query.next());
    if (!found) return list;
    Message message;
    message.key = static_cast<std::uint64_t>(query.integer(0));
    message.stanza = to_bytes(query.blob(1));
    message.from = static_cast<int>(query.integer(2));
    message.until = Wall::from_unix(query.integer(3));
    list.push_back(std::move(message));
  }
}

Result<void> AwaitedStore::save(const Message& message) {
  return save_.run(to_signed(message.key), message.stanza, message.from,
                   message.until.unix_seconds(), kMost);
}

Result<void> AwaitedStore::drop(std::uint64_t key) { return drop_.run(to_signed(key)); }

Result<void> AwaitedStore::clear() { return clear_.run(); }

}  // namespace posthorn::store
