#include "posthorn/store/view_store.h"

namespace posthorn::store {
namespace {

constexpr const char* kSteps[] = {
    "CREATE TABLE status_views (n INTEGER PRIMARY KEY, status TEXT NOT NULL, user TEXT NOT NULL,"
    " seen INTEGER NOT NULL, at INTEGER NOT NULL, UNIQUE (status, user));",
};

}  // namespace

Result<std::unique_ptr<ViewStore>> ViewStore::open(Database& database) {
  TRY(database.migrate("status_views", kSteps));
  return std::unique_ptr<ViewStore>(new ViewStore(database));
}

Result<std::vector<ViewStore::View>> ViewStore::views(std::string_view status_id) {
  std::vector<View> out;
  Query query = find_.query(status_id);
  for (;;) {
    TRY(const bool found, query.next());
    if (!found) return out;
    out.push_back({std::string(query.text(0)), query.integer(1) != 0, query.integer(2)});
  }
}

Result<void> ViewStore::save(std::string_view status_id, const View& view) {
  TRY(save_.run(status_id, view.user, static_cast<std::int64_t>(view.seen), view.at));
  return prune_.run(kMost);
}

Result<void> ViewStore::clear() { return clear_.run(); }

}  // namespace posthorn::store
