#pragma once

#include <string>
#include <string_view>

namespace posthorn {

/// For a segment or a value in a URL: everything but letters, digits and "-._~" as %XX (RFC 3986).
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace posthorn
