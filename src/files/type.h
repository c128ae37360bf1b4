#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"

namespace posthorn::files {

/// Bytes from a file's beginning that detect_type() looks at.
inline constexpr std::size_t kTypeLooksAt = 16;

/// The media type by the first bytes, which no name and no sender can gainsay.
[[nodiscard]] std::string_view detect_type(ByteView beginning);

/// For names on disk: "png" and back. Unknown ones are "bin" and "application/octet-stream".
[[nodiscard]] std::string_view suffix_of(std::string_view type);
[[nodiscard]] std::string_view type_of_suffix(std::string_view suffix);

}  // namespace posthorn::files
