#include "chat/groups/metadata.h"

#include <algorithm>
#include <utility>

#include "chat/people/ids.h"
#include "posthorn/base/utf8.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr std::size_t kSubjectMax = 512;
constexpr std::size_t kDescriptionMax = 4096;
constexpr std::size_t kVersionMax = 64;

Member::Role role_of(std::string_view type) {
  if (type == "superadmin") return Member::Role::owner;
  return type == "admin" ? Member::Role::admin : Member::Role::member;
}

Jid person(const Node& node, std::string_view key) {
  const auto jid = node.jid_attr(key);
  return jid && jid->is_person() ? from_hosted(*jid).bare() : Jid{};
}

/// By number where that is told, since a POS knows people so.
Jid author(const Node& node, std::string_view key, std::string_view number_key) {
  const Jid number = person(node, number_key);
  return number.empty() ? person(node, key) : number;
}

std::int64_t time_of(const Node& node, std::string_view key) {
  return std::max<std::int64_t>(0, node.int_attr(key).value_or(0));
}

Member parse_member(const Node& node) {
  Member member;
  member.jid = person(node, "jid");
  member.other = person(node, member.jid.is_lid() ? "phone_number" : "lid");
  if (member.other.server == member.jid.server) member.other = {};
  member.role = role_of(node.text_attr("type"));
  return member;
}

void read_child(const Node& child, GroupInfo& info) {
  const std::string& tag = child.tag;
  if (tag == "description") {
    info.description_id = cut_utf8(child.text_attr("id"), kVersionMax);
    if (const Node* body = child.child("body"))
      info.description = cut_utf8(to_string(body->bytes()), kDescriptionMax);
  }
  if (tag == "announcement") info.only_admins_send = true;
  if (tag == "locked") info.only_admins_edit = true;
  if (tag == "suspended") info.suspended = true;
  if (tag == "parent") info.is_community = true;
  if (tag == "default_sub_group") info.is_announce_group = true;
  if (tag == "member_add_mode") info.only_admins_add = to_string(child.bytes()) == "admin_add";
  if (tag == "ephemeral") {
    const auto seconds = std::clamp<std::int64_t>(time_of(child, "expiration"), 0, 0x7FFFFFFF);
    info.ephemeral_seconds = static_cast<std::uint32_t>(seconds);
  }
}

}  // namespace

const Member* GroupInfo::find(const Jid& user) const {
  const Jid name = user.bare();
  const auto at = std::find_if(members.begin(), members.end(), [&](const Member& member) {
    return member.jid == name || member.other == name;
  });
  return at == members.end() ? nullptr : &*at;
}

Member* GroupInfo::find(const Jid& user) {
  return const_cast<Member*>(std::as_const(*this).find(user));
}

Node build_group_iq(const char* type, const Jid& to, Node child) {
  return Node("iq", {{"to", to}, {"type", type}, {"xmlns", "w:g2"}}, {std::move(child)});
}

Node build_group_query(const Jid& group) {
  return build_group_iq("get", group, Node("query", {{"request", "interactive"}}));
}

Node build_groups_query() {
  return build_group_iq("get", Jid{"", std::string(wire::kServerGroup), 0}, Node("participating"));
}

std::vector<Member> parse_members(const Node& parent) {
  std::vector<Member> members;
  for (const Node& child : parent.children()) {
    if (child.tag != "participant") continue;
    // Who could not be added to a new group is named as well.
    const auto error = child.int_attr("error").value_or(0);
    if (error != 0 && error != 200) continue;
    if (members.size() >= kMembersMost) break;
    Member member = parse_member(child);
    if (!member.jid.empty()) members.push_back(std::move(member));
  }
  return members;
}

Result<GroupInfo> parse_group(const Node& group) {
  GroupInfo info;
  // The id comes with or without its server.
  const std::string id = group.text_attr("id");
  const auto jid = wire::parse_jid(id.find('@') == std::string::npos ? id + "@g.us" : id);
  if (!jid || !jid->is_group() || jid->user.empty() || jid->user.size() > kVersionMax)
    return fail(Errc::malformed, "group without id");
  info.jid = jid->bare();
  info.subject = cut_utf8(group.text_attr("subject"), kSubjectMax);
  info.subject_time = time_of(group, "s_t");
  info.subject_owner = author(group, "s_o", "s_o_pn");
  info.creator = author(group, "creator", "creator_pn");
  info.creation = time_of(group, "creation");
  info.by_lid = group.text_attr("addressing_mode") == "lid";
  info.participants_version = cut_utf8(group.text_attr("p_v_id"), kVersionMax);
  for (const Node& child : group.children()) read_child(child, info);
  info.members = parse_members(group);
  const auto size = group.int_attr("size").value_or(0);
  info.size = size > 0 ? static_cast<std::size_t>(size) : info.members.size();
  return info;
}

Result<GroupInfo> parse_group_answer(const Node& iq) {
  const Node* group = iq.child("group");
  if (group == nullptr) return fail(Errc::malformed, "answer without a group");
  return parse_group(*group);
}

std::vector<GroupInfo> parse_groups_answer(const Node& iq) {
  std::vector<GroupInfo> groups;
  const Node* list = iq.child("groups");
  if (list == nullptr) return groups;
  for (const Node& child : list->children()) {
    if (child.tag != "group") continue;
    if (auto group = parse_group(child)) groups.push_back(std::move(*group));
  }
  return groups;
}

}  // namespace posthorn::chat
