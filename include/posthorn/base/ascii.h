#pragma once

#include <string>
#include <string_view>

namespace posthorn {

/// A to Z become a to z; every other byte stays, whatever the locale: for host names, header words
/// and the like.
[[nodiscard]] inline std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

}  // namespace posthorn
