#include "posthorn/store/alias_store.h"

namespace posthorn::store {
namespace {

constexpr const char* kSteps[] = {
    "CREATE TABLE aliases (n INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE,"
    " account TEXT NOT NULL);",
};

}  // namespace

Result<std::unique_ptr<AliasStore>> AliasStore::open(Database& database) {
  TRY(database.migrate("aliases", kSteps));
  std::unique_ptr<AliasStore> store(new AliasStore(database));
  Query query = store->any_.query();
  TRY(const bool found, query.next());
  store->empty_ = !found;
  return store;
}

Result<std::optional<std::string>> AliasStore::find(std::string_view number) {
  if (empty_) return std::optional<std::string>();
  Query query = find_.query(number);
  TRY(const bool found, query.next());
  if (!found) return std::optional<std::string>();
  return std::optional(std::string(query.text(0)));
}

Result<void> AliasStore::save(std::string_view number, std::string_view account) {
  empty_ = false;
  TRY(save_.run(number, account));
  return prune_.run(kMost);
}

Result<void> AliasStore::drop(std::string_view number) {
  if (empty_) return {};
  return drop_.run(number);
}

Result<void> AliasStore::clear() {
  TRY(clear_.run());
  empty_ = true;
  return {};
}

}  // namespace posthorn::store
