#pragma once

#include <string>

namespace posthorn {

/// At most `limit` bytes, cut at a character boundary (continuation bytes of UTF-8 are 10xxxxxx).
[[nodiscard]] inline std::string cut_utf8(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  text.resize(limit);
  return text;
}

}  // namespace posthorn
