#include "posthorn/store/history_store.h"

namespace posthorn::store {
namespace {

constexpr const char* kSteps[] = {
    "CREATE TABLE history_files (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " notification BLOB NOT NULL);",
};

}  // namespace

Result<std::unique_ptr<HistoryStore>> HistoryStore::open(Database& database) {
  TRY(database.migrate("history", kSteps));
  return std::unique_ptr<HistoryStore>(new HistoryStore(database));
}

Result<void> HistoryStore::add(const Announced& announced) {
  return add_.run(announced.message_id, announced.notification, kMost);
}

Result<std::optional<HistoryStore::Announced>> HistoryStore::first() {
  Query query = first_.query();
  TRY(const bool found, query.next());
  if (!found) return std::optional<Announced>();
  return std::optional(Announced{std::string(query.text(0)), to_bytes(query.blob(1))});
}

Result<void> HistoryStore::drop(std::string_view message_id) { return drop_.run(message_id); }

Result<void> HistoryStore::clear() { return clear_.run(); }

}  // namespace posthorn::store
