#include <utility>

#include "api/fields.h"
#include "api/handlers.h"
#include "api/picture_form.h"
#include "api/utf8.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/chat/groups.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kNameMax = 100;
constexpr std::size_t kMembersMax = 1023;  // WhatsApp's 1,024 with the account itself

/// groupId; some clients call it chatId.
Result<std::string> required_group(const json::Value& body) {
  const char* field = json::at(body, "groupId").isNull() ? "chatId" : "groupId";
  if (json::at(body, field).isNull()) return invalid("groupId", "is required");
  TRY(const std::string text, required_text(body, field));
  const auto chat = parse_chat_id(text);
  if (!chat || !is_group_chat(*chat)) return invalid("groupId", "must end with @g.us");
  return *chat;
}

/// chatId of a person in that field.
Result<std::string> person_in(const json::Value& value, const char* field) {
  const auto text = json::text_of(value);
  if (!text || text->empty()) return invalid(field, "must be a string");
  const auto chat = parse_chat_id(*text);
  if (!chat) return fail(Errc::malformed, chat.error().detail);
  if (is_group_chat(*chat)) return invalid(field, "must be a person: 'phone_number@c.us'");
  return *chat;
}

Result<std::string> required_name(const json::Value& body) {
  TRY(std::string name, required_text(body, "groupName"));
  if (code_points(name) > kNameMax) {
    return invalid("groupName", "length must be less than or equal to 100 characters long");
  }
  return name;
}

Result<std::vector<std::string>> required_members(const json::Value& body) {
  const json::Value& list = json::at(body, "chatIds");
  if (list.isNull()) return invalid("chatIds", "is required");
  if (!list.isArray()) return invalid("chatIds", "must be an array");
  if (list.size() > kMembersMax) return invalid("chatIds", "must hold at most 1023 members");
  std::vector<std::string> members;
  for (const json::Value& one : list) {
    TRY(std::string chat, person_in(one, "chatIds"));
    members.push_back(std::move(chat));
  }
  return members;
}

/// {"WORD": done}, with WhatsApp's or the box's reason when it is not done.
Once<void(Result<chat::GroupChange>)> answer_change(Call call, const char* word) {
  return [call = std::move(call), word](Result<chat::GroupChange> change) mutable {
    if (!change) return call.refuse(change.error());
    json::Value out(::Json::objectValue);
    out[word] = change->done;
    if (!change->done) out["reason"] = change->reason;
    call.send(out);
  };
}

void change_member(Context& context, Call call, chat::Groups::MemberChange change,
                   const char* word) {
  const auto group = required_group(call.body);
  if (!group) return call.refuse(group.error());
  const json::Value& value = json::at(call.body, "participantChatId");
  const auto member = value.isNull() ? invalid("participantChatId", "is required")
                                     : person_in(value, "participantChatId");
  if (!member) return call.refuse(member.error());
  context.outside.groups.change_member(*group, change, *member,
                                       answer_change(std::move(call), word));
}

json::Value show_group(const chat::GroupData& data) {
  json::Value out(::Json::objectValue);
  out["groupId"] = data.chat;
  out["owner"] = data.owner;
  out["subject"] = clean_utf8(data.subject);
  out["description"] = clean_utf8(data.description);
  out["creation"] = static_cast<::Json::Int64>(data.creation);
  out["participants"] = json::Value(::Json::arrayValue);
  for (const auto& participant : data.participants) {
    json::Value one(::Json::objectValue);
    one["id"] = participant.chat;
    if (!participant.lid.empty()) one["lid"] = participant.lid;
    one["isAdmin"] = participant.is_admin;
    one["isSuperAdmin"] = participant.is_owner;
    out["participants"].append(std::move(one));
  }
  out["subjectTime"] = static_cast<::Json::Int64>(data.subject_time);
  out["subjectOwner"] = data.subject_owner;
  out["groupInviteLink"] = data.invite_link;
  out["size"] = static_cast<::Json::Int64>(data.size);
  out["ephemeralExpiration"] = static_cast<::Json::Int64>(data.ephemeral_seconds);
  out["allowParticipantsEditGroupSettings"] = data.members_edit;
  out["allowParticipantsSendMessages"] = data.members_send;
  out["allowParticipantsAddMembers"] = data.members_add;
  out["isCommunity"] = data.is_community;
  out["isCommunityAnnounce"] = data.is_community_announce;
  return out;
}

}  // namespace

void create_group(Context& context, Call call) {
  const auto name = required_name(call.body);
  if (!name) return call.refuse(name.error());
  auto members = required_members(call.body);
  if (!members) return call.refuse(members.error());
  context.outside.groups.create(
      *name, std::move(*members),
      [call = std::move(call)](Result<chat::CreatedGroup> created) mutable {
        if (!created) return call.refuse(created.error());
        json::Value out(::Json::objectValue);
        out["created"] = created->created;
        out["chatId"] = created->chat;
        out["groupInviteLink"] = created->invite_link;
        if (!created->reason.empty()) out["reason"] = created->reason;
        call.send(out);
      });
}

void get_group_data(Context& context, Call call) {
  const auto group = required_group(call.body);
  if (!group) return call.refuse(group.error());
  context.outside.groups.show(*group,
                              [call = std::move(call)](Result<chat::GroupData> data) mutable {
                                // The cloud's own words, which clients look for.
                                if (!data && data.error().code == Errc::not_found)
                                  return call.refuse(400, "Error: item-not-found");
                                if (!data && data.error().code == Errc::refused)
                                  return call.refuse(400, "Error: forbidden");
                                if (!data) return call.refuse(data.error());
                                call.send(show_group(*data));
                              });
}

void update_group_name(Context& context, Call call) {
  const auto group = required_group(call.body);
  if (!group) return call.refuse(group.error());
  const auto name = required_name(call.body);
  if (!name) return call.refuse(name.error());
  context.outside.groups.rename(*group, *name, answer_change(std::move(call), "updateGroupName"));
}

void update_group_settings(Context& context, Call call) {
  const auto group = required_group(call.body);
  if (!group) return call.refuse(group.error());
  const auto edit = optional_bool(call.body, "allowParticipantsEditGroupSettings");
  if (!edit) return call.refuse(edit.error());
  const auto send = optional_bool(call.body, "allowParticipantsSendMessages");
  if (!send) return call.refuse(send.error());
  context.outside.groups.change_settings(
      *group, {*edit, *send}, [call = std::move(call)](Result<chat::GroupChange> change) mutable {
        if (!change) return call.refuse(change.error());
        json::Value out(::Json::objectValue);
        out["updateGroupSettings"] = change->done;
        out["reason"] = change->reason;
        call.send(out);
      });
}

void add_group_participant(Context& context, Call call) {
  change_member(context, std::move(call), chat::Groups::MemberChange::add, "addParticipant");
}

void remove_group_participant(Context& context, Call call) {
  change_member(context, std::move(call), chat::Groups::MemberChange::remove, "removeParticipant");
}

void set_group_admin(Context& context, Call call) {
  change_member(context, std::move(call), chat::Groups::MemberChange::promote, "setGroupAdmin");
}

void remove_admin(Context& context, Call call) {
  change_member(context, std::move(call), chat::Groups::MemberChange::demote, "removeAdmin");
}

void set_group_picture(Context& context, Call call) {
  auto form = parse_picture_form(call.request);
  if (!form) return call.refuse(form.error());
  json::Value body(::Json::objectValue);
  if (!form->group.empty()) body["groupId"] = form->group;
  const auto group = required_group(body);
  if (!group) return call.refuse(group.error());
  if (!may_set_picture(context, call, "setGroupPicture")) return;
  context.outside.groups.set_picture(
      *group, to_bytes(form->picture),
      [&context, shared = context.shared_from_this(), group = *group,
       call = std::move(call)](Result<chat::GroupChange> change) mutable {
        constexpr const char* kWord = "setGroupPicture";
        if (!change) return call.refuse(change.error());
        if (change->done) return answer_new_picture(context, std::move(call), kWord, group);
        call.send(
            picture_answer(kWord, change->reason.empty() ? "bad request data" : change->reason));
      });
}

void leave_group(Context& context, Call call) {
  const auto group = required_group(call.body);
  if (!group) return call.refuse(group.error());
  context.outside.groups.leave(*group, answer_change(std::move(call), "leaveGroup"));
}

}  // namespace posthorn::api
