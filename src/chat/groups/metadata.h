#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// One member as the group lists him.
struct Member {
  wire::Jid jid;    ///< bare, in the form of the group's addressing mode
  wire::Jid other;  ///< his other name, bare; empty: not told
  enum class Role : std::uint8_t { member, admin, owner } role = Role::member;

  [[nodiscard]] bool is_admin() const { return role != Role::member; }
};

/// A group as WhatsApp describes it. Source: chapter 10 section 3.
struct GroupInfo {
  wire::Jid jid;
  std::string subject;  ///< at most 512 bytes
  std::int64_t subject_time = 0;
  wire::Jid subject_owner, creator;  ///< bare, by number where both are told; empty: not told
  std::int64_t creation = 0;
  std::string description;     ///< at most 4096 bytes
  std::string description_id;  ///< named when it is changed
  bool by_lid = false;         ///< addressing mode
  bool only_admins_send = false;
  bool only_admins_edit = false;
  bool only_admins_add = false;
  bool suspended = false;
  bool is_community = false;
  bool is_announce_group = false;  ///< the one of a community in which its admins speak
  std::uint32_t ephemeral_seconds = 0;
  std::string participants_version;
  std::vector<Member> members;
  std::size_t size = 0;

  /// nullptr: no member. Either name.
  [[nodiscard]] const Member* find(const wire::Jid& user) const;
  [[nodiscard]] Member* find(const wire::Jid& user);
};

/// More members than this WhatsApp lets into no group; what claims more is cut.
inline constexpr std::size_t kMembersMost = 2048;

/// An <iq> about groups. to: a group, or g.us.
[[nodiscard]] wire::Node build_group_iq(const char* type, const wire::Jid& to, wire::Node child);
/// <iq get><query request="interactive"/>. Section 3.
[[nodiscard]] wire::Node build_group_query(const wire::Jid& group);
/// <iq get><participating/>: all our groups, without their members.
[[nodiscard]] wire::Node build_groups_query();
/// Errors: malformed (no <group>, no id).
[[nodiscard]] Result<GroupInfo> parse_group_answer(const wire::Node& iq);
/// Groups that are listed in a <participating> answer; those that do not parse are left out.
[[nodiscard]] std::vector<GroupInfo> parse_groups_answer(const wire::Node& iq);
/// <group>. Errors: malformed.
[[nodiscard]] Result<GroupInfo> parse_group(const wire::Node& group);
/// The <participant> children of a change or an answer.
[[nodiscard]] std::vector<Member> parse_members(const wire::Node& parent);

}  // namespace posthorn::chat
