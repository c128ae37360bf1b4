#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace posthorn::chat {

/// Text of a page as a person reads it: UTF-8 (what is none is taken for Windows-1252), entities
/// resolved, on one line, without blanks around it and control characters in it; at most so many
/// bytes.
[[nodiscard]] std::string readable_html(std::string_view raw, std::size_t most);

}  // namespace posthorn::chat
