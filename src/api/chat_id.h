#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn::api {

/// Brings what clients write for a chat into the one form we use inside: "4915550001234@c.us",
/// "…@g.us" or "…@lid". Spaces go, "@s.whatsapp.net" is "@c.us", a bare number gets "@c.us".
/// Errors: malformed, with the text of the cloud's 400 (also for channels and stories).
[[nodiscard]] Result<std::string> parse_chat_id(std::string_view text);

/// Digits of a phone number from what people write: "+49 155 500-01234". 5 .. 20 digits.
/// Errors: malformed, "bad phone number, valid 11 or 12 digits".
[[nodiscard]] Result<std::string> parse_phone(std::string_view text);

}  // namespace posthorn::api
