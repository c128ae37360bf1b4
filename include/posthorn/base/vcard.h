#pragma once

#include <string>
#include <string_view>

namespace posthorn {

/// A text as (a part of) a value of a vCard 3.0: what would end it is escaped, CR left out
/// (RFC 2426 section 4).
[[nodiscard]] std::string vcard_value(std::string_view text);

}  // namespace posthorn
