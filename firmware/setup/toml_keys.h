#pragma once

#include <string>
#include <vector>

#include "posthorn/base/result.h"

namespace posthorn::setup {

struct TomlKey {
  std::string section;
  std::string key;
  std::string value;
  bool number = false;  ///< a whole number, not a string
};

/// The TOML text with these keys set; comments are lost. Errors: malformed (the text is no TOML,
/// or a number none).
[[nodiscard]] Result<std::string> set_toml_keys(const std::string& text,
                                                const std::vector<TomlKey>& keys);

}  // namespace posthorn::setup
