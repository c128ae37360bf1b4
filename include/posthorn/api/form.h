#pragma once

#include <map>
#include <string>
#include <string_view>

namespace posthorn::api {

/// The fields of an application/x-www-form-urlencoded body; of two with one name the last counts.
/// What is no escape stays as it stands. Source: WHATWG URL standard, section 5.1.
[[nodiscard]] std::map<std::string, std::string> parse_form(std::string_view body);

}  // namespace posthorn::api
