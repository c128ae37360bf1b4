// The verbs about groups.
#include "posthorn/wire/names.h"
#include "simulator/control.h"
#include "simulator/control_replies.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;

namespace {

json::Value group_json(const Group& group) {
  json::Value value;
  value["jid"] = to_string(group.jid);
  value["subject"] = group.subject;
  value["description"] = group.description;
  value["by_lid"] = group.by_lid;
  value["announcement"] = group.announcement;
  value["locked"] = group.locked;
  value["suspended"] = group.suspended;
  value["only_admins_add"] = group.only_admins_add;
  value["ephemeral"] = group.ephemeral;
  value["invite_code"] = group.invite_code;
  value["picture_id"] = group.picture_id;
  value["members"] = json::Value(Json::arrayValue);
  for (const Group::Member& member : group.members) {
    json::Value one;
    one["phone"] = member.account->phone;
    one["role"] = member.role == Group::Role::owner   ? "owner"
                  : member.role == Group::Role::admin ? "admin"
                                                      : "member";
    value["members"].append(one);
  }
  return value;
}

}  // namespace

void Control::add_group(const Request& request, Done done) {
  Account* creator =
      world_.directory.find(json::text_of(json::at(request.body, "creator")).value_or(""));
  if (creator == nullptr) return done(refusal(404, "creator: no such account"));
  std::vector<Account*> members;
  for (const json::Value& one : json::at(request.body, "members")) {
    Account* account = world_.directory.find(json::text_of(one).value_or(""));
    if (account == nullptr) return done(refusal(404, "members: no such account"));
    members.push_back(account);
  }
  const auto subject = json::string_at(request.body, "subject").value_or("Group");
  const bool by_lid = json::bool_at(request.body, "by_lid").value_or(true);
  done(ok(group_json(world_.groups.create(*creator, subject, members, by_lid))));
}

void Control::show_group(const Request& request, Done done) {
  const auto jid = wire::parse_jid(request.parts[2]);
  const Group* group = jid ? world_.groups.find(*jid) : nullptr;
  if (group == nullptr) return done(refusal(404, "no such group"));
  done(ok(group_json(*group)));
}

void Control::act_on_group(const Request& request, Done done) {
  const auto jid = wire::parse_jid(request.parts[2]);
  Group* group = jid ? world_.groups.find(*jid) : nullptr;
  if (group == nullptr) return done(refusal(404, "no such group"));
  const std::string verb = json::string_at(request.body, "verb").value_or("");
  Account* actor = world_.directory.find(json::text_of(json::at(request.body, "as")).value_or(""));
  if (actor == nullptr) actor = group->members.empty() ? nullptr : group->members[0].account;
  if (actor == nullptr) return done(refusal(404, "as: no such account"));
  if (verb == names::kAdd || verb == names::kRemove || verb == names::kPromote ||
      verb == names::kDemote) {
    Account* who = world_.directory.find(json::text_of(json::at(request.body, "who")).value_or(""));
    if (who == nullptr) return done(refusal(404, "who: no such account"));
    const int error = world_.groups.change_member(*group, *actor, verb, *who);
    if (error != 0) return done(refusal(409, "participant error " + std::to_string(error)));
  } else if (verb == names::kSubject) {
    world_.groups.set_subject(*group, *actor,
                              json::string_at(request.body, "subject").value_or(""));
  } else if (verb == "mode") {
    world_.groups.set_mode(*group, json::bool_at(request.body, "by_lid").value_or(true));
  } else if (verb == "set") {
    group->announcement = json::bool_at(request.body, "announcement").value_or(group->announcement);
    group->locked = json::bool_at(request.body, "locked").value_or(group->locked);
    group->suspended = json::bool_at(request.body, "suspended").value_or(group->suspended);
    const char* tag = json::bool_at(request.body, "silent").value_or(false) ? nullptr : "set";
    if (tag != nullptr) {
      world_.groups.tell(*group, *actor,
                         wire::Node(group->announcement ? "announcement" : "not_announcement"));
      world_.groups.tell(*group, *actor, wire::Node(group->locked ? "locked" : "unlocked"));
      world_.groups.tell(*group, *actor,
                         wire::Node(group->suspended ? "suspended" : "unsuspended"));
    }
  } else {
    return done(refusal(400, "verb: add, remove, promote, demote, subject, mode, set"));
  }
  done(ok(group_json(*group)));
}

}  // namespace posthorn::simulator
