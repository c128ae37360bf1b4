#include "simulator/groups.h"

#include <algorithm>

#include "posthorn/wire/names.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr std::size_t kMembersMost = 1024;

std::string_view type_of(Group::Role role) {
  switch (role) {
    case Group::Role::owner:
      return "superadmin";
    case Group::Role::admin:
      return "admin";
    case Group::Role::member:
      break;
  }
  return {};
}

}  // namespace

Group::Member* Group::find(const Account& account) {
  const auto at = std::ranges::find(members, &account, &Member::account);
  return at == members.end() ? nullptr : &*at;
}

const Group::Member* Group::find(const Account& account) const {
  const auto at = std::ranges::find(members, &account, &Member::account);
  return at == members.end() ? nullptr : &*at;
}

bool Group::is_admin(const Account& account) const {
  const Member* member = find(account);
  return member != nullptr && member->role != Role::member;
}

wire::Jid Group::name_of(const Account& account) const {
  return by_lid ? account.lid() : account.pn();
}

wire::Jid Group::name_of(const Device& device) const { return by_lid ? device.lid() : device.pn(); }

std::string Groups::new_code() {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string code;
  for (int i = 0; i < 22; ++i) {
    code += kLetters[static_cast<std::size_t>(
        world_.random.between(0, static_cast<std::int64_t>(kLetters.size()) - 1))];
  }
  return code;
}

Group& Groups::create(Account& creator, std::string subject, const std::vector<Account*>& members,
                      bool by_lid) {
  auto group = std::make_unique<Group>();
  std::string number = std::to_string(next_++);
  number.insert(0, 12 - std::min<std::size_t>(12, number.size()), '0');
  group->jid = {"120363" + number, std::string(wire::kServerGroup), 0};
  group->by_lid = by_lid;
  group->subject = std::move(subject);
  group->creation = group->subject_time = world_.now().unix_seconds();
  group->creator = group->subject_owner = &creator;
  group->invite_code = new_code();
  group->members.push_back({&creator, Group::Role::owner});
  for (Account* member : members) {
    if (group->find(*member) == nullptr) group->members.push_back({member, Group::Role::member});
  }
  Group& made = *group;
  groups_[to_string(made.jid)] = std::move(group);
  tell(made, creator, Node(names::kCreate, {}, std::vector{describe(made)}));
  return made;
}

Group* Groups::find(const wire::Jid& jid) {
  const auto at = groups_.find(to_string(jid.bare()));
  return at == groups_.end() ? nullptr : at->second.get();
}

Group* Groups::find_by_code(std::string_view code) {
  for (auto& [jid, group] : groups_) {
    if (group->invite_code == code) return group.get();
  }
  return nullptr;
}

std::vector<Group*> Groups::of(const Account& account) {
  std::vector<Group*> out;
  for (auto& [jid, group] : groups_) {
    if (group->find(account) != nullptr) out.push_back(group.get());
  }
  return out;
}

int Groups::change_member(Group& group, Account& actor, std::string_view operation,
                          Account& member) {
  Group::Member* known = group.find(member);
  const std::string before = std::to_string(group.version);
  if (operation == names::kAdd) {
    if (known != nullptr) return 409;
    if (member.blocked.contains(actor.phone)) return 401;
    const auto privacy = member.privacy.find("groupadd");
    if (privacy != member.privacy.end() && privacy->second == "none") return 403;
    if (group.members.size() >= kMembersMost) return 419;
    group.members.push_back({&member, Group::Role::member});
  } else if (known == nullptr) {
    return 404;
  } else if (operation == names::kRemove) {
    group.members.erase(group.members.begin() + (known - group.members.data()));
  } else {
    const auto role = operation == names::kPromote ? Group::Role::admin : Group::Role::member;
    if (known->role == role) return 409;
    if (known->role == Group::Role::owner) return 403;
    known->role = role;
  }
  ++group.version;
  tell(
      group, actor,
      Node(std::string(operation), {{"prev_v_id", before}, {"v_id", std::to_string(group.version)}},
           std::vector{participant(group, member)}),
      &member);
  return 0;
}

void Groups::set_subject(Group& group, Account& actor, std::string subject) {
  group.subject = std::move(subject);
  group.subject_time = world_.now().unix_seconds();
  group.subject_owner = &actor;
  tell(group, actor,
       Node(names::kSubject, {{"subject", group.subject},
                              {"s_t", std::to_string(group.subject_time)},
                              {"s_o", group.name_of(actor)},
                              {"s_o_pn", actor.pn()}}));
}

void Groups::set_mode(Group& group, bool by_lid) { group.by_lid = by_lid; }

void Groups::tell(const Group& group, const Account& actor, const Node& child,
                  const Account* also) {
  Node out(names::kNotification,
           {{"type", "w:gp2"},
            {"from", group.jid},
            {names::kParticipant, group.name_of(actor)},
            {group.by_lid ? names::kParticipantPn : names::kParticipantLid,
             group.by_lid ? actor.pn() : actor.lid()},
            {"notify", actor.name},
            {"t", world_.now_text()},
            {names::kAddressingMode, group.by_lid ? "lid" : "pn"}},
           std::vector{child});
  const auto send = [&](const Account& account) {
    for (const auto& [id, device] : account.devices) {
      out.set_attr("id", world_.next_id());
      world_.relay.deliver(*device, out);
    }
  };
  for (const Group::Member& member : group.members) send(*member.account);
  if (also != nullptr && group.find(*also) == nullptr) send(*also);
}

Node Groups::participant(const Group& group, const Account& account, std::string_view type) const {
  Node node(names::kParticipant, {{"jid", group.name_of(account)}});
  if (group.by_lid) {
    node.set_attr("phone_number", account.pn());
  } else {
    node.set_attr("lid", account.lid());
  }
  if (!type.empty()) node.set_attr("type", std::string(type));
  return node;
}

Node Groups::describe(const Group& group, bool with_members) const {
  Node node(names::kGroup, {{"id", group.jid.user},
                            {"subject", group.subject},
                            {"s_t", std::to_string(group.subject_time)},
                            {"s_o", group.name_of(*group.subject_owner)},
                            {"s_o_pn", group.subject_owner->pn()},
                            {"creation", std::to_string(group.creation)},
                            {"creator", group.name_of(*group.creator)},
                            {"creator_pn", group.creator->pn()},
                            {"size", std::to_string(group.members.size())},
                            {"p_v_id", std::to_string(group.version)},
                            {"a_v_id", "1"},
                            {names::kAddressingMode, group.by_lid ? "lid" : "pn"}});
  std::vector<Node> children;
  if (with_members) {
    for (const Group::Member& member : group.members) {
      children.push_back(participant(group, *member.account, type_of(member.role)));
    }
  }
  if (!group.description_id.empty()) {
    children.emplace_back(names::kDescription,
                          std::vector<wire::Attr>{{"id", group.description_id}},
                          std::vector{Node("body", {}, to_bytes(group.description))});
  }
  if (group.announcement) children.emplace_back("announcement");
  if (group.locked) children.emplace_back("locked");
  if (group.suspended) children.emplace_back("suspended");
  if (group.ephemeral != 0) {
    children.emplace_back("ephemeral",
                          std::vector<wire::Attr>{{"expiration", std::to_string(group.ephemeral)}});
  }
  children.emplace_back("member_add_mode", std::vector<wire::Attr>{},
                        to_bytes(group.only_admins_add ? "admin_add" : "all_member_add"));
  if (group.approval) {
    children.emplace_back("membership_approval_mode", std::vector<wire::Attr>{},
                          std::vector{Node("group_join", {{"state", "on"}})});
  }
  node.content = std::move(children);
  return node;
}

}  // namespace posthorn::simulator
