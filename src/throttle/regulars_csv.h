#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"
#include "posthorn/throttle/regulars.h"

namespace posthorn::throttle {

/// One line of a list of regulars: "number" or "number,date", separated by comma, semicolon or tab,
/// each with or without quotes. number: as parse_phone_number() takes it, or a chatId. date: the
/// last contact, YYYY-MM-DD. Further columns are ignored.
/// nullopt: a line without anything, or a heading. Errors: malformed, with a sentence.
[[nodiscard]] Result<std::optional<PastChat>> parse_regular(std::string_view line);

}  // namespace posthorn::throttle
