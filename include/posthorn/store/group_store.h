#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// What is kept of groups: their names, and which devices hold our sender key of each. Members are
/// not kept: WhatsApp is asked for them before the first message after a start.
///
/// Groups are JIDs as text, devices JIDs as text with their number. Every call may stand alone or
/// join an open transaction; both tables are bounded. Errors: io, full, malformed (database
/// damaged).
class GroupStore {
 public:
  /// The newest; strangers can add us to groups.
  static constexpr int kGroupsMost = 1000;
  /// All groups together; what goes first is the list of the group that was learned first.
  static constexpr int kHoldersMost = 200'000;

  static Result<std::unique_ptr<GroupStore>> open(Database& database);

  struct Group {
    std::string subject;
    bool by_lid = false;  ///< its members are addressed by LID
    std::string admins;   ///< user JIDs, a blank behind each

    bool operator==(const Group&) const = default;
  };
  [[nodiscard]] Result<std::optional<Group>> find(std::string_view group);
  Result<void> save(std::string_view group, const Group& what);
  /// We are no member any more: the name and who holds our key.
  Result<void> drop(std::string_view group);

  /// Devices that hold our sender key with that id; of another key: none.
  [[nodiscard]] Result<std::vector<std::string>> holders(std::string_view group,
                                                         std::uint32_t key_id);
  /// The group gets a row when it has none. A key id other than before replaces all of them.
  Result<void> add_holders(std::string_view group, std::uint32_t key_id,
                           std::span<const std::string> devices);
  /// That device asks for the key again.
  Result<void> drop_holder(std::string_view group, std::string_view device);
  /// All devices of that user (a JID without device), in every group.
  Result<void> drop_user(std::string_view user);
  Result<void> clear();

 private:
  explicit GroupStore(Database& database) : db_(database) {}
  Result<std::optional<std::int64_t>> row_of(std::string_view group);
  Result<void> prune();

  Database& db_;
  std::uint32_t writes_ = 0;  ///< since the last look at the bounds
  Statement find_{db_, "SELECT subject, by_lid, admins FROM groups WHERE jid = ?1"};
  Statement save_{db_,
                  "INSERT INTO groups (jid, subject, by_lid, admins) VALUES (?1, ?2, ?3, ?4)"
                  " ON CONFLICT (jid) DO UPDATE SET subject = ?2, by_lid = ?3, admins = ?4"};
  Statement add_{db_, "INSERT OR IGNORE INTO groups (jid) VALUES (?1)"};
  Statement drop_{db_, "DELETE FROM groups WHERE jid = ?1"};
  Statement row_{db_, "SELECT n, key_id FROM groups WHERE jid = ?1"};
  Statement set_key_{db_, "UPDATE groups SET key_id = ?2 WHERE n = ?1"};
  Statement holders_{db_, "SELECT device FROM key_holders WHERE group_n = ?1"};
  Statement add_holder_{db_, "INSERT OR IGNORE INTO key_holders (group_n, device) VALUES (?1, ?2)"};
  Statement drop_holder_{db_, "DELETE FROM key_holders WHERE group_n = ?1 AND device = ?2"};
  Statement drop_holders_{db_, "DELETE FROM key_holders WHERE group_n = ?1"};
  // "user@server" or "user:N@server": one range per group, found by the primary key.
  Statement drop_user_{db_,
                       "DELETE FROM key_holders WHERE group_n IN (SELECT n FROM groups) AND"
                       " (device = ?1 || ?2 OR (device >= ?1 || ':' AND device < ?1 || ';' AND"
                       " device LIKE '%' || ?2))"};
};

}  // namespace posthorn::store
