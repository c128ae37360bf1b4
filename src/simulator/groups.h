#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/wire/node.h"
#include "simulator/directory.h"

namespace posthorn::simulator {

class World;

/// What the server knows of a group. Chapters 10, 13 B10.
struct Group {
  enum class Role : std::uint8_t { member, admin, owner };
  struct Member {
    Account* account = nullptr;
    Role role = Role::member;
  };

  wire::Jid jid;
  bool by_lid = true;
  std::string subject;
  std::int64_t subject_time = 0;
  const Account* subject_owner = nullptr;
  const Account* creator = nullptr;
  std::int64_t creation = 0;
  std::string description, description_id;
  bool announcement = false, locked = false, suspended = false, approval = false;
  bool only_admins_add = false;
  std::uint32_t ephemeral = 0;
  std::string invite_code;
  std::string picture_id;
  std::uint64_t version = 1;  ///< of the list of members
  std::vector<Member> members;
  std::vector<Account*> requests;  ///< who asked to join

  [[nodiscard]] Member* find(const Account& account);
  [[nodiscard]] const Member* find(const Account& account) const;
  [[nodiscard]] bool is_admin(const Account& account) const;
  /// In the group's addressing form.
  [[nodiscard]] wire::Jid name_of(const Account& account) const;
  [[nodiscard]] wire::Jid name_of(const Device& device) const;
};

/// All groups, and what changes them: a client's question or the control interface. Every change is
/// told to all members' devices.
class Groups {
 public:
  explicit Groups(World& world) : world_(world) {}

  Group& create(Account& creator, std::string subject, const std::vector<Account*>& members,
                bool by_lid);
  [[nodiscard]] Group* find(const wire::Jid& jid);
  [[nodiscard]] Group* find_by_code(std::string_view code);
  [[nodiscard]] std::vector<Group*> of(const Account& account);

  /// operation: add, remove, promote, demote. 0, or the `error` of the participant.
  int change_member(Group& group, Account& actor, std::string_view operation, Account& member);
  void set_subject(Group& group, Account& actor, std::string subject);
  /// Tells every device of every member, and of `also`. child: what has changed.
  void tell(const Group& group, const Account& actor, const wire::Node& child,
            const Account* also = nullptr);
  /// The addressing form is another one from now on.
  void set_mode(Group& group, bool by_lid);
  std::string new_code();

  /// <group>; for whom: members are named as that account may see them.
  [[nodiscard]] wire::Node describe(const Group& group, bool with_members = true) const;
  [[nodiscard]] wire::Node participant(const Group& group, const Account& account,
                                       std::string_view type = {}) const;

 private:
  World& world_;
  std::uint64_t next_ = 1;
  std::map<std::string, std::unique_ptr<Group>> groups_;  ///< by JID
};

}  // namespace posthorn::simulator
