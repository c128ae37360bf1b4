#pragma once

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
// What breaks the language is told as an error, not by an assertion that ends the process.
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <string>

#include "posthorn/base/result.h"

/// Values out of a TOML file, by the key that they belong to.
namespace posthorn {

/// Takes one value out of the file; the error says what is allowed.
using Take = std::function<Result<void>(const toml::node&)>;

[[nodiscard]] inline Result<std::string> text_of(const toml::node& node) {
  const auto value = node.value_exact<std::string>();
  if (!value) return fail(Errc::malformed, "must be a string in quotes");
  return *value;
}

[[nodiscard]] inline Take text(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(out, text_of(node));
    return {};
  };
}

[[nodiscard]] inline Take flag(bool& out) {
  return [&out](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<bool>();
    if (!value) return fail(Errc::malformed, "must be true or false");
    out = *value;
    return {};
  };
}

template <class T>
[[nodiscard]] Take number(T& out, std::int64_t low, std::int64_t high) {
  return [&out, low, high](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) {
      return fail(Errc::malformed, "must be a whole number from " + std::to_string(low) + " to " +
                                       std::to_string(high));
    }
    out = static_cast<T>(*value);
    return {};
  };
}

}  // namespace posthorn
