#pragma once

#include <string_view>

namespace posthorn::api {

/// An absolute http or https address, as a webhook may have it: the scheme in any case, then a host
/// (a name, IPv4, or IPv6 in brackets), a port of 1 .. 65535 or none, and whatever follows. Blanks,
/// control characters and bytes beyond ASCII are refused: no two clients agree on what they mean.
/// Source: RFC 3986 section 3.
[[nodiscard]] bool is_http_url(std::string_view text);

}  // namespace posthorn::api
