#include "chat/groups/changes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "chat/groups/metadata.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

Jid all_groups() { return {"", std::string(wire::kServerGroup), 0}; }

Node to_node(const NamedMember& member) {
  Node node("participant", {{"jid", member.jid}});
  if (member.number) node.set_attr("phone_number", *member.number);
  return node;
}

struct Words {
  int code;
  std::string_view text;
};

constexpr std::array kMemberWords{
    Words{401, "this person does not let the account add them"},
    Words{403,
          "WhatsApp does not let the account do this with this person: send an invitation "
          "link instead"},
    Words{404, "this person is not on WhatsApp, or not in the group"},
    Words{408, "this person has left the group lately: send an invitation link instead"},
    Words{412, "the community is full"},
    Words{419, "the group is full"},
    Words{429, "WhatsApp wants this to be done less often: try again in an hour"},
    Words{500, "WhatsApp has failed: try again"},
};

constexpr std::array kGroupWords{
    Words{400, "WhatsApp takes the request for malformed"},
    Words{401, "the account may not do this: it is no admin of the group"},
    Words{403, "the account may not do this: it is no admin of the group, or no member"},
    Words{404, "there is no such group"},
    Words{405, "WhatsApp does not allow this in this group"},
    Words{406, "WhatsApp does not take this: the name is too long, or the picture is no JPEG"},
    Words{409, "somebody else has changed it at the same moment: try again"},
    Words{419, "the group is full"},
    Words{429, "WhatsApp wants this to be done less often: try again in an hour"},
};

template <std::size_t N>
std::optional<std::string> words_of(const std::array<Words, N>& table, int code) {
  const auto at =
      std::find_if(table.begin(), table.end(), [&](const Words& row) { return row.code == code; });
  if (at == table.end()) return std::nullopt;
  return std::string(at->text);
}

int code_of(const Node& node) {
  return static_cast<int>(std::clamp<std::int64_t>(node.int_attr("error").value_or(0), 0, 9999));
}

}  // namespace

Node build_group_create(const std::string& subject, std::span<const NamedMember> members,
                        const std::string& key) {
  Node create("create", {{"subject", subject}, {"key", key}});
  std::vector<Node> children;
  for (const NamedMember& member : members) children.push_back(to_node(member));
  create.content = std::move(children);
  return build_group_iq("set", all_groups(), std::move(create));
}

Node build_subject_change(const Jid& group, const std::string& subject) {
  return build_group_iq("set", group, Node("subject", {}, to_bytes(subject)));
}

Node build_member_change(const Jid& group, std::string_view operation, const NamedMember& member) {
  return build_group_iq("set", group, Node(std::string(operation), {}, {to_node(member)}));
}

Node build_setting_change(const Jid& group, Node setting) {
  return build_group_iq("set", group, std::move(setting));
}

Node timer_change(std::uint32_t seconds) {
  if (seconds == 0) return Node("not_ephemeral");
  return Node("ephemeral", {{"expiration", std::to_string(seconds)}});
}

Node build_picture_change(const Jid& group, Bytes jpeg) {
  return Node("iq",
              {{"to", Jid{"", std::string(wire::kServerUser), 0}},
               {"type", "set"},
               {"xmlns", "w:profile:picture"},
               {"target", group}},
              {Node("picture", {{"type", "image"}}, std::move(jpeg))});
}

Node build_leave(const Jid& group) {
  return build_group_iq("set", all_groups(), Node("leave", {}, {Node("group", {{"id", group}})}));
}

Node build_invite_query(const Jid& group) { return build_group_iq("get", group, Node("invite")); }

Result<int> parse_member_answer(const Node& iq, std::string_view operation) {
  const Node* answer = iq.child(operation);
  const Node* member = answer == nullptr ? nullptr : answer->child("participant");
  if (member == nullptr) return fail(Errc::malformed, "answer without a participant");
  const int code = code_of(*member);
  return code == 200 ? 0 : code;
}

std::string parse_invite_link(const Node& iq) {
  const Node* invite = iq.child("invite");
  const std::string code = invite == nullptr ? std::string() : invite->text_attr("code");
  return code.empty() ? std::string() : "https://chat.whatsapp.com/" + code;
}

int parse_leave_answer(const Node& iq) {
  const Node* leave = iq.child("leave");
  if (leave == nullptr) return 0;
  for (const Node& group : leave->children()) {
    const int code = code_of(group);
    if (code != 0 && code != 200) return code;
  }
  return 0;
}

std::string say_member_error(int code) {
  const auto words = words_of(kMemberWords, code);
  return words ? *words : "WhatsApp refuses it (error " + std::to_string(code) + ")";
}

std::optional<std::string> say_group_error(const Error& error) {
  if (error.code != Errc::refused) return std::nullopt;
  int code = 0;
  const std::string& text = error.detail;
  std::from_chars(text.data(), text.data() + text.size(), code);
  const auto words = words_of(kGroupWords, code);
  return words ? *words : "WhatsApp refuses it: " + text;
}

}  // namespace posthorn::chat
