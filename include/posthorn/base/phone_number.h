#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn {

/// Digits of a phone number with its country code, from what people write, copy and export:
/// "+49 (0)155 500-01234", "0049155...", "8 (900) 123-45-67" (Russia's 8 for +7), Arabic digits,
/// with the marks that contact lists put around numbers. text: UTF-8. Gives 7 .. 15 digits.
/// Errors: malformed, with a sentence for whoever wrote it; also for national numbers ("0155..."),
/// which only somebody who knows the country can complete, and for what a spreadsheet made of one
/// ("4.91556E+12", "4915550001234.0").
[[nodiscard]] Result<std::string> parse_phone_number(std::string_view text);

/// The text without blanks and without what cannot be seen: direction marks, zero-width and
/// no-break spaces. For identifiers that were copied; text that is no UTF-8 keeps its bytes.
[[nodiscard]] std::string without_invisible(std::string_view text);

}  // namespace posthorn
