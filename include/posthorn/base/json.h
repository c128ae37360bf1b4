#pragma once

#include <json/value.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"

/// The one door to jsoncpp, which throws when a value has another type than asked for: nothing
/// outside this header calls as…() without the checks made here.

namespace posthorn::json {

using Value = ::Json::Value;

/// As JSON.parse reads it: of duplicate keys the last counts, and half a surrogate pair in a \u
/// escape becomes U+FFFD. Beyond it, as tills send it, a byte order mark in front and bare control
/// characters inside strings are taken. most_values: an early bound on the memory that it takes,
/// about 100 bytes a value.
/// Errors: malformed (more values, nesting over 64 levels, text after the value); the error says at
/// which byte: "Unexpected token } in JSON at position 17" (the text Green-API's cloud gives).
[[nodiscard]] Result<Value> parse(
    std::string_view text, std::size_t most_values = std::numeric_limits<std::size_t>::max());

/// One line, UTF-8 as it is, no trailing newline.
[[nodiscard]] std::string write(const Value& value);

/// The text of the first member of that name in what write() gave, without parsing it; empty: there
/// is none, or it has an escape in it. For ids and words among very many texts of our own.
[[nodiscard]] std::string_view peek(std::string_view written, std::string_view key);

/// A member of an object if it is there and has that type (numbers: whole and in range).
[[nodiscard]] std::optional<std::string> string_at(const Value& object, const char* key);
[[nodiscard]] std::optional<std::int64_t> int_at(const Value& object, const char* key);
[[nodiscard]] std::optional<bool> bool_at(const Value& object, const char* key);
/// The member, or a null value when `object` is no object or has none.
[[nodiscard]] const Value& at(const Value& object, const char* key);

/// A value as text when it is a string or a whole number: ids come both ways.
[[nodiscard]] std::optional<std::string> text_of(const Value& value);
[[nodiscard]] std::optional<std::int64_t> int_of(const Value& value);
/// A number, whole or not; always finite.
[[nodiscard]] std::optional<double> double_of(const Value& value);

}  // namespace posthorn::json
