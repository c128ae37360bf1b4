#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

/// Questions that make or change a group. Source: chapters 09 section 7.1, 10 sections 2, 4, 5, 7.
namespace posthorn::chat {

/// One person that a change is about.
struct NamedMember {
  wire::Jid jid;
  std::optional<wire::Jid> number;  ///< beside a LID
};

[[nodiscard]] wire::Node build_group_create(const std::string& subject,
                                            std::span<const NamedMember> members,
                                            const std::string& key);
[[nodiscard]] wire::Node build_subject_change(const wire::Jid& group, const std::string& subject);
/// operation: "add", "remove", "promote", "demote".
[[nodiscard]] wire::Node build_member_change(const wire::Jid& group, std::string_view operation,
                                             const NamedMember& member);
/// setting: the child, e.g. an empty "announcement".
[[nodiscard]] wire::Node build_setting_change(const wire::Jid& group, wire::Node setting);
/// The child that makes messages disappear after so many seconds; 0: never.
[[nodiscard]] wire::Node timer_change(std::uint32_t seconds);
[[nodiscard]] wire::Node build_picture_change(const wire::Jid& group, Bytes jpeg);
[[nodiscard]] wire::Node build_leave(const wire::Jid& group);
[[nodiscard]] wire::Node build_invite_query(const wire::Jid& group);

/// The answer to a change of one member. 0: done. Errors: malformed.
[[nodiscard]] Result<int> parse_member_answer(const wire::Node& iq, std::string_view operation);
/// Empty when there is none.
[[nodiscard]] std::string parse_invite_link(const wire::Node& iq);
/// The first `error` of the groups in a <leave> answer. 0: left.
[[nodiscard]] int parse_leave_answer(const wire::Node& iq);

/// What a participant's `error` means, for people.
[[nodiscard]] std::string say_member_error(int code);
/// The same for the error of a whole question; nullopt: it is no answer of WhatsApp's.
[[nodiscard]] std::optional<std::string> say_group_error(const Error& error);

}  // namespace posthorn::chat
