#include <algorithm>

#include "posthorn/wire/names.h"
#include "simulator/queries.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

/// What clients ask and change about groups (w:g2). Chapters 10, 13 B10.
namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr std::size_t kSubjectMost = 100;

/// Settings that are one empty child.
struct Flag {
  std::string_view on, off;
  bool Group::*value;
};
constexpr Flag kFlags[] = {
    {"announcement", "not_announcement", &Group::announcement},
    {"locked", "unlocked", &Group::locked},
};

std::string text_of(const Node& node) { return to_string(node.bytes()); }

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_member_operation(std::string_view tag) {
  return tag == names::kAdd || tag == names::kRemove || tag == names::kPromote ||
         tag == names::kDemote;
}

}  // namespace

void Queries::groups(Device& from, const Node& iq) {
  const auto to = iq.jid_attr(names::kTo);
  const bool set = iq.text_attr(names::kType) == names::kSet;
  if (!to || iq.children().empty()) return refuse(from, iq, 400, "bad-request");
  const Node& child = iq.children().front();
  if (to->user.empty()) return set ? change_groups(from, iq, child) : list_groups(from, iq, child);
  Group* group = world_.groups.find(*to);
  if (group == nullptr) return refuse(from, iq, 404, "item-not-found");
  if (group->find(from.account) == nullptr) return refuse(from, iq, 403, "forbidden");
  if (set) return change_group(from, iq, *group, child);
  if (child.tag == names::kQuery) return reply(from, iq, {world_.groups.describe(*group)});
  if (child.tag == "invite") {
    if (!group->is_admin(from.account)) return refuse(from, iq, 401, "not-authorized");
    return reply(from, iq, {Node("invite", {{"code", group->invite_code}})});
  }
  if (child.tag == "membership_approval_requests") {
    std::vector<Node> asking;
    for (const Account* account : group->requests) {
      asking.emplace_back("membership_approval_request",
                          std::vector<wire::Attr>{{"jid", group->name_of(*account)},
                                                  {"request_method", "invite_link"},
                                                  {"request_time", world_.now_text()}});
    }
    return reply(from, iq, {Node(child.tag, {}, std::move(asking))});
  }
  refuse(from, iq, 501, "feature-not-implemented");
}

void Queries::list_groups(Device& from, const Node& iq, const Node& child) {
  if (child.tag == "participating") {
    const bool members = child.child(names::kParticipants) != nullptr;
    std::vector<Node> groups;
    for (const Group* group : world_.groups.of(from.account)) {
      groups.push_back(world_.groups.describe(*group, members));
    }
    return reply(from, iq, {Node(names::kGroups, {}, std::move(groups))});
  }
  if (child.tag == "invite") {
    const Group* group = world_.groups.find_by_code(child.text_attr("code"));
    if (group == nullptr) return refuse(from, iq, 404, "item-not-found");
    return reply(from, iq, {world_.groups.describe(*group)});
  }
  refuse(from, iq, 501, "feature-not-implemented");
}

void Queries::change_groups(Device& from, const Node& iq, const Node& child) {
  if (child.tag == names::kCreate) return create_group(from, iq, child);
  if (child.tag == names::kLeave) {
    std::vector<Node> left;
    for (const Node& one : child.children()) {
      const auto jid = one.jid_attr("id");
      Group* group = jid ? world_.groups.find(*jid) : nullptr;
      Node answer(names::kGroup, one.attrs);
      if (group == nullptr ||
          world_.groups.change_member(*group, from.account, names::kRemove, from.account) != 0) {
        answer.set_attr(names::kError, std::string("404"));
      }
      left.push_back(std::move(answer));
    }
    return reply(from, iq, {Node(names::kLeave, {}, std::move(left))});
  }
  if (child.tag == "invite") {
    Group* group = world_.groups.find_by_code(child.text_attr("code"));
    if (group == nullptr) return refuse(from, iq, 404, "item-not-found");
    if (group->find(from.account) != nullptr) return refuse(from, iq, 304, "not-modified");
    if (group->approval) {
      group->requests.push_back(&from.account);
      return reply(from, iq, {Node("membership_approval_request", {{"jid", group->jid}})});
    }
    world_.groups.change_member(*group, from.account, names::kAdd, from.account);
    return reply(from, iq, {Node(names::kGroup, {{"jid", group->jid}})});
  }
  refuse(from, iq, 501, "feature-not-implemented");
}

void Queries::create_group(Device& from, const Node& iq, const Node& child) {
  const std::string subject = child.text_attr("subject");
  if (subject.empty()) return refuse(from, iq, 400, "bad-request");
  if (characters(subject) > kSubjectMost) return refuse(from, iq, 406, "not-acceptable");
  std::vector<Account*> members;
  std::vector<Node> refused;
  for (const Node& one : child.children()) {
    if (one.tag != names::kParticipant) continue;
    const auto jid = one.jid_attr("jid");
    Account* account = jid ? world_.directory.find(*jid) : nullptr;
    if (account == &from.account) {
      world_.violation(from, "the creator names himself among the members of a new group");
      continue;
    }
    const bool hidden = account != nullptr && account->privacy["groupadd"] == "none";
    if (account != nullptr && !hidden) {
      members.push_back(account);
      continue;
    }
    Node answer(names::kParticipant, one.attrs);
    answer.set_attr(names::kError, std::string(hidden ? "403" : "404"));
    refused.push_back(std::move(answer));
  }
  const Group& group =
      world_.groups.create(from.account, subject, members, world_.options.lid_addressing);
  Node answer = world_.groups.describe(group);
  for (Node& one : refused) answer.mutable_children().push_back(std::move(one));
  reply(from, iq, {std::move(answer)});
}

void Queries::change_group(Device& from, const Node& iq, Group& group, const Node& child) {
  const bool admin = group.is_admin(from.account);
  if (is_member_operation(child.tag)) {
    const bool may = admin || (child.tag == names::kAdd && !group.only_admins_add);
    if (!may) return refuse(from, iq, 403, "forbidden");
    return change_members(from, iq, group, child);
  }
  const bool info = child.tag == names::kSubject || child.tag == names::kDescription ||
                    child.tag == "ephemeral" || child.tag == "not_ephemeral";
  if (!admin && (!info || group.locked)) return refuse(from, iq, 403, "forbidden");
  if (child.tag == names::kSubject) {
    const std::string subject = text_of(child);
    if (characters(subject) > kSubjectMost) return refuse(from, iq, 406, "not-acceptable");
    reply(from, iq);
    return world_.groups.set_subject(group, from.account, subject);
  }
  if (child.tag == names::kDescription) {
    if (child.text_attr("prev") != group.description_id) return refuse(from, iq, 409, "conflict");
    group.description_id = child.text_attr("id");
    const Node* body = child.child("body");
    group.description = body == nullptr ? std::string() : text_of(*body);
    reply(from, iq);
    return world_.groups.tell(group, from.account, child);
  }
  if (child.tag == "invite") {
    group.invite_code = world_.groups.new_code();
    reply(from, iq, {Node("invite", {{"code", group.invite_code}})});
    return;
  }
  if (child.tag == "ephemeral" || child.tag == "not_ephemeral") {
    const auto seconds = child.int_attr("expiration").value_or(0);
    const bool known = seconds == 0 || seconds == 86400 || seconds == 604800 || seconds == 7776000;
    if (!known) return refuse(from, iq, 400, "bad-request");
    group.ephemeral = static_cast<std::uint32_t>(seconds);
  } else if (child.tag == "member_add_mode") {
    group.only_admins_add = text_of(child) == "admin_add";
  } else if (child.tag == "membership_approval_mode") {
    const Node* join = child.child("group_join");
    group.approval = join == nullptr || join->text_attr("state") == "on";
  } else {
    const auto flag = std::ranges::find_if(
        kFlags, [&](const Flag& f) { return child.tag == f.on || child.tag == f.off; });
    if (flag == std::end(kFlags)) return refuse(from, iq, 501, "feature-not-implemented");
    group.*flag->value = child.tag == flag->on;
  }
  reply(from, iq);
  world_.groups.tell(group, from.account, child);
}

void Queries::change_members(Device& from, const Node& iq, Group& group, const Node& child) {
  std::vector<Node> answers;
  for (const Node& one : child.children()) {
    const auto jid = one.jid_attr("jid");
    Account* account = jid ? world_.directory.find(*jid) : nullptr;
    if (account == nullptr) {
      Node answer(names::kParticipant, one.attrs);
      answer.set_attr(names::kError, std::string("404"));
      answers.push_back(std::move(answer));
      continue;
    }
    const int error = world_.groups.change_member(group, from.account, child.tag, *account);
    Node answer = world_.groups.participant(group, *account);
    if (error != 0) answer.set_attr(names::kError, std::to_string(error));
    if (error == 403 && child.tag == names::kAdd) {
      answer.content = std::vector{Node(
          "add_request", {{"code", group.invite_code},
                          {"expiration", std::to_string(world_.now().unix_seconds() + 259200)}})};
    }
    answers.push_back(std::move(answer));
  }
  reply(from, iq, {Node(child.tag, {}, std::move(answers))});
}

void Queries::set_picture(Device& from, const Node& iq) {
  const auto target = iq.jid_attr("target");
  if (!target || !target->is_group()) return empty(from, iq);
  Group* group = world_.groups.find(*target);
  if (group == nullptr) return refuse(from, iq, 404, "item-not-found");
  const Group::Member* member = group->find(from.account);
  if (member == nullptr || (group->locked && member->role == Group::Role::member))
    return refuse(from, iq, 401, "not-authorized");
  const Node* picture = iq.child(names::kPicture);
  const ByteView bytes = picture == nullptr ? ByteView() : picture->bytes();
  const bool jpeg = bytes.size() > 3 && bytes[0] == std::byte{0xFF} && bytes[1] == std::byte{0xD8};
  if (!bytes.empty() && !jpeg) return refuse(from, iq, 406, "not-acceptable");
  group->picture_id = bytes.empty() ? std::string() : world_.next_id();
  reply(from, iq, {Node(names::kPicture, {{"id", group->picture_id}})});
}

}  // namespace posthorn::simulator
