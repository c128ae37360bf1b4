#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

/// Members of a request of the official API. A member that is null is absent, as several clients
/// send it. `where` is the path of the object for messages: "interactive.action". Errors:
/// not_found (131008: a required member is missing), malformed (131009: its value).
namespace posthorn::cloud {

/// What is wrong, with the member's whole path.
[[nodiscard]] tl::unexpected<Error> bad(std::string_view where, std::string_view name,
                                        std::string_view what);
[[nodiscard]] tl::unexpected<Error> missing(std::string_view where, std::string_view name);

/// Code points of a text.
[[nodiscard]] std::size_t length_of(std::string_view text);

/// Text, or a number as text; "" when absent. most: code points.
[[nodiscard]] Result<std::string> text_in(const json::Value& object, const char* name,
                                          std::string_view where, std::size_t most);
/// The same, and it must say something.
[[nodiscard]] Result<std::string> required_text_in(const json::Value& object, const char* name,
                                                   std::string_view where, std::size_t most);
/// true, false or their words; false when absent.
[[nodiscard]] Result<bool> flag_in(const json::Value& object, const char* name,
                                   std::string_view where);
/// A number, or a text that is one.
[[nodiscard]] Result<double> required_number_in(const json::Value& object, const char* name,
                                                std::string_view where, double most);
/// An object; required.
[[nodiscard]] Result<const json::Value*> required_object_in(const json::Value& object,
                                                            const char* name,
                                                            std::string_view where);
/// An array of objects with low .. high items; absent is missing when low > 0, else null.
[[nodiscard]] Result<const json::Value*> list_in(const json::Value& object, const char* name,
                                                 std::string_view where, unsigned low,
                                                 unsigned high);

/// A whole number, also as text ("0"); nullopt: none.
[[nodiscard]] std::optional<std::int64_t> whole_number(const json::Value& value);

/// False for bytes that are no UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace posthorn::cloud
