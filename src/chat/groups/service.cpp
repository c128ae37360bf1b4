#include "chat/groups/service.h"

#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/job.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr milliseconds kTimeout{30'000};
constexpr int kAlreadySo = 409;

std::string_view word_of(Groups::MemberChange change) {
  switch (change) {
    case Groups::MemberChange::add:
      return "add";
    case Groups::MemberChange::remove:
      return "remove";
    case Groups::MemberChange::promote:
      return "promote";
    case Groups::MemberChange::demote:
      return "demote";
  }
  return "";
}

/// The members of a new group that WhatsApp has not let in, and why.
std::string say_refused(const Node& group) {
  std::string text;
  for (const Node& child : group.children()) {
    const auto code = child.int_attr("error").value_or(0);
    if (child.tag != "participant" || code == 0 || code == 200) continue;
    if (!text.empty()) text += "; ";
    const auto jid =
        child.jid_attr("phone_number") ? child.jid_attr("phone_number") : child.jid_attr("jid");
    text += (jid ? jid->user : "somebody") +
            " was not added: " + say_member_error(static_cast<int>(code));
  }
  return text;
}

}  // namespace

Result<Jid> GroupService::group_of(const std::string& chat) const {
  TRY(Jid group, parse_chat_id(chat));
  if (!group.is_group()) return fail(Errc::malformed, "not a group's chatId");
  if (!context_.line.online()) return fail(Errc::disconnected, "not connected");
  return group;
}

Result<NamedMember> GroupService::member_of(const std::string& chat) const {
  TRY(const Jid named, context_.names.addressed(chat));
  if (!named.is_person()) return fail(Errc::malformed, "not a person's chatId");
  NamedMember member;
  TRY(member.jid, context_.names.preferred(named));
  if (member.jid.is_lid()) {
    TRY(member.number, context_.names.other(member.jid));
  }
  return member;
}

void GroupService::create(const std::string& name, std::vector<std::string> members,
                          Once<void(Result<CreatedGroup>)> done) {
  if (!context_.line.online()) return done(fail(Errc::disconnected, "not connected"));
  std::vector<NamedMember> named;
  for (const std::string& chat : members) {
    auto member = member_of(chat);
    if (!member) return done(fail(member.error(), "member"));
    // The creator is a member by himself.
    if (!is_own_user(context_.line.identity(), member->jid)) named.push_back(std::move(*member));
  }
  const std::string key =
      make_message_id(context_.random, context_.clock.now(), context_.line.identity().pn.user);
  context_.line.ask(
      build_group_create(name, named, key), kTimeout,
      [this, alive = context_.alive, done = std::move(done)](Result<Node> reply) mutable {
        if (!*alive) return done(fail(Errc::cancelled, "creating a group"));
        on_created(std::move(reply), std::move(done));
      });
}

void GroupService::on_created(Result<Node> reply, Once<void(Result<CreatedGroup>)> done) {
  CreatedGroup created;
  if (!reply) {
    const auto words = say_group_error(reply.error());
    if (!words) return done(fail(reply.error(), "creating a group"));
    created.reason = *words;
    return done(std::move(created));
  }
  auto info = parse_group_answer(*reply);
  if (!info) return done(fail(info.error(), "creating a group"));
  created.created = true;
  created.chat = to_string(info->jid);
  created.reason = say_refused(*reply->child("group"));
  const Jid group = info->jid;
  groups_.adopt(std::move(*info));
  ask_invite(group,
             [created = std::move(created), done = std::move(done)](std::string link) mutable {
               created.invite_link = std::move(link);
               done(std::move(created));
             });
}

void GroupService::ask_invite(const Jid& group, Once<void(std::string link)> done) {
  context_.line.ask(build_invite_query(group), kTimeout,
                    [done = std::move(done)](Result<Node> reply) mutable {
                      done(reply ? parse_invite_link(*reply) : std::string());
                    });
}

void GroupService::show(const std::string& chat, Once<void(Result<GroupData>)> done) {
  const auto group = group_of(chat);
  if (!group) return done(fail(group.error(), "group"));
  groups_.get(*group, [this, done = std::move(done)](Result<GroupCache::Info> info) mutable {
    if (!info) return done(tl::unexpected(info.error()));
    auto data = data_of(**info);
    if (!data) return done(fail(data.error(), "group"));
    const Member* us = (*info)->find(context_.line.identity().pn);
    if (us == nullptr) us = (*info)->find(context_.line.identity().lid);
    if (us == nullptr || !us->is_admin()) return done(std::move(*data));
    ask_invite((*info)->jid,
               [data = std::move(*data), done = std::move(done)](std::string link) mutable {
                 data.invite_link = std::move(link);
                 done(std::move(data));
               });
  });
}

Result<GroupData> GroupService::data_of(const GroupInfo& info) const {
  const auto chat_of = [this](const Jid& person) -> Result<std::string> {
    if (person.empty()) return std::string();
    return context_.names.chat_id(person);
  };
  GroupData data;
  data.chat = to_string(info.jid);
  TRY(data.owner, chat_of(info.creator));
  TRY(data.subject_owner, chat_of(info.subject_owner));
  data.subject = info.subject;
  data.description = info.description;
  data.creation = info.creation;
  data.subject_time = info.subject_time;
  data.size = info.size;
  data.ephemeral_seconds = info.ephemeral_seconds;
  data.members_edit = !info.only_admins_edit;
  data.members_send = !info.only_admins_send;
  data.members_add = !info.only_admins_add;
  data.is_community = info.is_community;
  data.is_community_announce = info.is_announce_group;
  for (const Member& member : info.members) {
    GroupData::Participant one;
    TRY(one.chat,
        chat_of(member.jid.is_lid() && !member.other.empty() ? member.other : member.jid));
    const Jid& lid = member.jid.is_lid() ? member.jid : member.other;
    if (!lid.empty()) one.lid = to_string(lid);
    one.is_admin = member.is_admin();
    one.is_owner = member.role == Member::Role::owner;
    data.participants.push_back(std::move(one));
  }
  return data;
}

void GroupService::ask(Node iq, Function<Result<std::string>(const Node& iq)> look,
                       Once<void(Result<GroupChange>)> done) {
  context_.line.ask(std::move(iq), kTimeout,
                    [look = std::move(look), done = std::move(done)](Result<Node> reply) mutable {
                      GroupChange change;
                      if (!reply) {
                        const auto words = say_group_error(reply.error());
                        if (!words) return done(fail(reply.error(), "changing a group"));
                        change.reason = *words;
                        return done(std::move(change));
                      }
                      auto refused = look(*reply);
                      if (!refused) return done(fail(refused.error(), "changing a group"));
                      change.reason = std::move(*refused);
                      change.done = change.reason.empty();
                      done(std::move(change));
                    });
}

void GroupService::rename(const std::string& chat, const std::string& name,
                          Once<void(Result<GroupChange>)> done) {
  const auto group = group_of(chat);
  if (!group) return done(fail(group.error(), "group"));
  ask(
      build_subject_change(*group, name), [](const Node&) { return Result<std::string>(""); },
      std::move(done));
}

void GroupService::change_member(const std::string& chat, MemberChange change,
                                 const std::string& member, Once<void(Result<GroupChange>)> done) {
  const auto group = group_of(chat);
  if (!group) return done(fail(group.error(), "group"));
  const auto named = member_of(member);
  if (!named) return done(fail(named.error(), "member"));
  const std::string_view word = word_of(change);
  ask(
      build_member_change(*group, word, *named),
      [word](const Node& iq) -> Result<std::string> {
        TRY(const int code, parse_member_answer(iq, word));
        // Whoever is in the group already need not be added.
        return code == 0 || code == kAlreadySo ? std::string() : say_member_error(code);
      },
      std::move(done));
}

void GroupService::change_settings(const std::string& chat, Settings settings,
                                   Once<void(Result<GroupChange>)> done) {
  const auto group = group_of(chat);
  if (!group) return done(fail(group.error(), "group"));
  std::vector<Node> changes;
  if (settings.members_edit) changes.emplace_back(*settings.members_edit ? "unlocked" : "locked");
  if (settings.members_send) {
    changes.emplace_back(*settings.members_send ? "not_announcement" : "announcement");
  }
  if (settings.timer) changes.push_back(timer_change(*settings.timer));
  if (changes.empty()) return done(GroupChange{true, ""});
  ask_settings(*group, std::move(changes), std::move(done));
}

void GroupService::ask_settings(const Jid& group, std::vector<Node> settings,
                                Once<void(Result<GroupChange>)> done) {
  Node iq = build_setting_change(group, std::move(settings.front()));
  settings.erase(settings.begin());
  ask(
      std::move(iq), [](const Node&) { return Result<std::string>(""); },
      [this, alive = context_.alive, group, settings = std::move(settings),
       done = std::move(done)](Result<GroupChange> change) mutable {
        if (!*alive || !change || !change->done || settings.empty()) return done(std::move(change));
        ask_settings(group, std::move(settings), std::move(done));
      });
}

void GroupService::set_picture(const std::string& chat, Bytes jpeg,
                               Once<void(Result<GroupChange>)> done) {
  const auto group = group_of(chat);
  if (!group) return done(fail(group.error(), "group"));
  ask(
      build_picture_change(*group, std::move(jpeg)),
      [](const Node&) { return Result<std::string>(""); }, std::move(done));
}

void GroupService::leave(const std::string& chat, Once<void(Result<GroupChange>)> done) {
  const auto group = group_of(chat);
  if (!group) return done(fail(group.error(), "group"));
  ask(
      build_leave(*group),
      [](const Node& iq) -> Result<std::string> {
        const int code = parse_leave_answer(iq);
        return code == 0 ? std::string()
                         : say_group_error({Errc::refused, std::to_string(code)}).value_or("");
      },
      std::move(done));
}

}  // namespace posthorn::chat
