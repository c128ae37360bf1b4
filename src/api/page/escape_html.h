#pragma once

#include <string>
#include <string_view>

namespace posthorn::api {

/// The text as it may stand in HTML, between tags and in quoted attributes.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace posthorn::api
