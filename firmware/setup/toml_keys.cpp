#include "setup/toml_keys.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
// What breaks the language is told as an error, not by an assertion that ends the process.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include <charconv>
#include <sstream>

namespace posthorn::setup {

Result<std::string> set_toml_keys(const std::string& text, const std::vector<TomlKey>& keys) {
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return fail(Errc::malformed, "line " + std::to_string(parsed.error().source().begin.line) +
                                     ": " + std::string(parsed.error().description()));
  }
  toml::table table = std::move(parsed).table();
  for (const TomlKey& key : keys) {
    toml::table* section = table[key.section].as_table();
    if (section == nullptr) {
      table.insert_or_assign(key.section, toml::table{});
      section = table[key.section].as_table();
    }
    if (!key.number) {
      section->insert_or_assign(key.key, key.value);
      continue;
    }
    std::int64_t number = 0;
    const char* const end = key.value.data() + key.value.size();
    if (std::from_chars(key.value.data(), end, number).ptr != end || key.value.empty()) {
      return fail(Errc::malformed, key.key + ": not a whole number");
    }
    section->insert_or_assign(key.key, number);
  }
  std::ostringstream out;
  out << toml::default_formatter{
      table, toml::default_formatter::default_flags & ~toml::format_flags::allow_literal_strings};
  out << "\n";
  return out.str();
}

}  // namespace posthorn::setup
