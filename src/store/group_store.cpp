#include "posthorn/store/group_store.h"

namespace posthorn::store {
namespace {

constexpr const char* kSteps[] = {
    "CREATE TABLE groups (n INTEGER PRIMARY KEY, jid TEXT NOT NULL UNIQUE,"
    " subject TEXT NOT NULL DEFAULT '', by_lid INTEGER NOT NULL DEFAULT 0,"
    " admins TEXT NOT NULL DEFAULT '', key_id INTEGER NOT NULL DEFAULT -1);"
    "CREATE TABLE key_holders (group_n INTEGER NOT NULL, device TEXT NOT NULL,"
    " PRIMARY KEY (group_n, device)) WITHOUT ROWID;",
};
constexpr std::uint32_t kLookEvery = 64;

}  // namespace

Result<std::unique_ptr<GroupStore>> GroupStore::open(Database& database) {
  TRY(database.migrate("groups", kSteps));
  std::unique_ptr<GroupStore> store(new GroupStore(database));
  TRY(store->prune());
  return store;
}

Result<std::optional<GroupStore::Group>> GroupStore::find(std::string_view group) {
  Query query = find_.query(group);
  TRY(const bool found, query.next());
  if (!found) return std::optional<Group>();
  Group out;
  out.subject = std::string(query.text(0));
  out.by_lid = query.integer(1) != 0;
  out.admins = std::string(query.text(2));
  return std::optional(std::move(out));
}

Result<void> GroupStore::save(std::string_view group, const Group& what) {
  TRY(const auto known, find(group));
  if (known == what) return {};
  TRY(save_.run(group, what.subject, what.by_lid ? 1 : 0, what.admins));
  return ++writes_ < kLookEvery ? Result<void>() : prune();
}

Result<void> GroupStore::drop(std::string_view group) {
  TRY(auto transaction, db_.begin());
  TRY(const auto row, row_of(group));
  if (row) {
    TRY(drop_holders_.run(*row));
    TRY(drop_.run(group));
  }
  return transaction.commit();
}

Result<std::optional<std::int64_t>> GroupStore::row_of(std::string_view group) {
  Query query = row_.query(group);
  TRY(const bool found, query.next());
  if (!found) return std::optional<std::int64_t>();
  return std::optional(query.integer(0));
}

Result<std::vector<std::string>> GroupStore::holders(std::string_view group, std::uint32_t key_id) {
  std::vector<std::string> devices;
  std::int64_t row = 0;
  {
    Query query = row_.query(group);
    TRY(const bool found, query.next());
    if (!found || query.integer(1) != static_cast<std::int64_t>(key_id)) return devices;
    row = query.integer(0);
  }
  Query query = holders_.query(row);
  while (true) {
    TRY(const bool found, query.next());
    if (!found) return devices;
    devices.emplace_back(query.text(0));
  }
}

Result<void> GroupStore::add_holders(std::string_view group, std::uint32_t key_id,
                                     std::span<const std::string> devices) {
  TRY(auto transaction, db_.begin());
  TRY(add_.run(group));
  std::int64_t row = 0;
  bool other_key = false;
  {
    Query query = row_.query(group);
    TRY(query.next());
    row = query.integer(0);
    other_key = query.integer(1) != static_cast<std::int64_t>(key_id);
  }
  if (other_key) {
    TRY(drop_holders_.run(row));
    TRY(set_key_.run(row, key_id));
  }
  for (const std::string& device : devices) {
    TRY(add_holder_.run(row, device));
  }
  if (++writes_ >= kLookEvery) TRY(prune());
  return transaction.commit();
}

Result<void> GroupStore::drop_holder(std::string_view group, std::string_view device) {
  TRY(const auto row, row_of(group));
  if (!row) return {};
  return drop_holder_.run(*row, device);
}

Result<void> GroupStore::drop_user(std::string_view user) {
  const auto at = user.find('@');
  if (at == std::string_view::npos) return {};
  return drop_user_.run(user.substr(0, at), user.substr(at));
}

Result<void> GroupStore::prune() {
  writes_ = 0;
  Statement old(db_,
                "DELETE FROM groups WHERE n <= (SELECT n FROM groups ORDER BY n DESC"
                " LIMIT 1 OFFSET ?1)");
  TRY(old.run(kGroupsMost));
  Statement ownerless(db_, "DELETE FROM key_holders WHERE group_n NOT IN (SELECT n FROM groups)");
  TRY(ownerless.run());
  Statement count(db_, "SELECT count(*) FROM key_holders");
  Statement first(db_,
                  "DELETE FROM key_holders WHERE group_n ="
                  " (SELECT min(group_n) FROM key_holders)");
  for (std::int64_t rows = kHoldersMost + 1; rows > kHoldersMost;) {
    {
      Query query = count.query();
      TRY(query.next());
      rows = query.integer(0);
    }
    if (rows > kHoldersMost) TRY(first.run());
  }
  return {};
}

Result<void> GroupStore::clear() {
  return db_.execute("DELETE FROM groups; DELETE FROM key_holders;");
}

}  // namespace posthorn::store
