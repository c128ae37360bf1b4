#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn::api {

/// Position of the first byte that does not belong to well-formed UTF-8; nullopt: all is well.
/// Overlong forms, surrogates and values over U+10FFFF are not well-formed.
[[nodiscard]] std::optional<std::size_t> find_bad_utf8(std::string_view text);

/// Code points of well-formed UTF-8.
[[nodiscard]] std::size_t code_points(std::string_view text);

/// The text with U+FFFD in the place of every byte that is not UTF-8.
[[nodiscard]] std::string clean_utf8(std::string_view text);

}  // namespace posthorn::api
