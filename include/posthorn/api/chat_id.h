#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/result.h"

/// Chats and phone numbers as clients write them, brought into the one form used inside. Every
/// method reads them through these, so that a number means the same wherever it stands.
namespace posthorn::api {

/// "4915550001234@c.us", "…@g.us" or "…@lid". Blanks and invisible marks go, "@s.whatsapp.net" is
/// "@c.us", a bare number gets "@c.us", a number becomes what parse_phone_number() makes of it.
/// Errors: malformed: the text of the cloud's 400 (also for channels and stories), with the
/// sentence that says what is wrong with a number behind it.
[[nodiscard]] Result<std::string> parse_chat_id(std::string_view text);

/// Digits of a phone number; "…@c.us" behind it is taken.
/// Errors: malformed: "bad phone number, valid 11 or 12 digits", with the sentence behind it.
[[nodiscard]] Result<std::string> parse_phone(std::string_view text);

[[nodiscard]] bool is_group_chat(std::string_view chat_id);

}  // namespace posthorn::api
