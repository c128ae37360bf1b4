#include "cloud/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace posthorn::cloud {
namespace {

std::string path_of(std::string_view where, std::string_view name) {
  return where.empty() ? std::string(name) : std::string(where) + "." + std::string(name);
}

/// Length of the well-formed sequence that begins the text; 0: none does (RFC 3629 section 4).
std::size_t sequence(std::string_view text) {
  const auto byte = [&text](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[at]));
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

}  // namespace

tl::unexpected<Error> bad(std::string_view where, std::string_view name, std::string_view what) {
  return fail(Errc::malformed, path_of(where, name) + " " + std::string(what));
}

tl::unexpected<Error> missing(std::string_view where, std::string_view name) {
  return fail(Errc::not_found, path_of(where, name) + " is missing");
}

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

Result<std::string> text_in(const json::Value& object, const char* name, std::string_view where,
                            std::size_t most) {
  const json::Value& value = json::at(object, name);
  if (value.isNull()) return std::string();
  auto text = json::text_of(value);
  if (!text) return bad(where, name, "must be a string");
  if (length_of(*text) > most) {
    return bad(where, name, "is longer than " + std::to_string(most) + " characters");
  }
  return std::move(*text);
}

Result<std::string> required_text_in(const json::Value& object, const char* name,
                                     std::string_view where, std::size_t most) {
  if (json::at(object, name).isNull()) return missing(where, name);
  TRY(auto text, text_in(object, name, where, most));
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return bad(where, name, "must not be empty");
  }
  return text;
}

Result<bool> flag_in(const json::Value& object, const char* name, std::string_view where) {
  const json::Value& value = json::at(object, name);
  if (value.isNull()) return false;
  if (const auto flag = json::bool_at(object, name)) return *flag;
  const auto word = json::text_of(value);
  if (word == "true" || word == "false") return word == "true";
  return bad(where, name, "must be true or false");
}

Result<double> required_number_in(const json::Value& object, const char* name,
                                  std::string_view where, double most) {
  const json::Value& value = json::at(object, name);
  if (value.isNull()) return missing(where, name);
  std::optional<double> number = json::double_of(value);
  if (const auto text = json::string_at(object, name)) {
    double read = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), read);
    if (error == std::errc() && end == text->data() + text->size()) number = read;
  }
  if (!number || !std::isfinite(*number)) return bad(where, name, "must be a number");
  if (std::abs(*number) > most) {
    return bad(where, name, "must lie between plus and minus " + std::to_string(int(most)));
  }
  return *number;
}

Result<const json::Value*> required_object_in(const json::Value& object, const char* name,
                                              std::string_view where) {
  const json::Value& value = json::at(object, name);
  if (value.isNull()) return missing(where, name);
  if (!value.isObject()) return bad(where, name, "must be an object");
  return &value;
}

Result<const json::Value*> list_in(const json::Value& object, const char* name,
                                   std::string_view where, unsigned low, unsigned high) {
  const json::Value& value = json::at(object, name);
  if (value.isNull() && low > 0) return missing(where, name);
  if (value.isNull()) return &value;
  if (!value.isArray()) return bad(where, name, "must be an array");
  if (value.size() < low || value.size() > high) {
    return bad(where, name,
               "must have " + std::to_string(low) + " to " + std::to_string(high) + " items");
  }
  for (const json::Value& item : value) {
    if (!item.isObject()) return bad(where, name, "must be an array of objects");
  }
  return &value;
}

std::optional<std::int64_t> whole_number(const json::Value& value) {
  const auto text = json::text_of(value);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace posthorn::cloud
