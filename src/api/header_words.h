#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Text that is not ASCII in the parameters of headers, as UTF-8. Pure; charsets: UTF-8, US-ASCII
/// and ISO-8859-1, in any case of letters.
namespace posthorn::api {

/// "utf-8''R%C3%A9sum%C3%A9.pdf" (RFC 8187, once RFC 5987). nullopt: it is none, or another
/// charset.
[[nodiscard]] std::optional<std::string> decode_extended_value(std::string_view text);

/// Text with encoded words in it, "=?utf-8?B?UsOpc3Vtw6kucGRm?=" (RFC 2047); the blanks between two
/// of them go. What is none, or of another charset, stays as it is.
[[nodiscard]] std::string decode_words(std::string_view text);

}  // namespace posthorn::api
