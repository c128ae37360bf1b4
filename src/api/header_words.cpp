#include "api/header_words.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/ascii.h"
#include "posthorn/base/bytes.h"

namespace posthorn::api {
namespace {

std::string from_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
      continue;
    }
    out += static_cast<char>(0xC0U | (byte >> 6U));
    out += static_cast<char>(0x80U | (byte & 0x3FU));
  }
  return out;
}

std::optional<std::string> to_utf8(std::string_view charset, std::string bytes) {
  const std::string name = ascii_lower(charset);
  if (name == "utf-8" || name == "utf8" || name == "us-ascii") return bytes;
  if (name == "iso-8859-1") return from_latin1(bytes);
  return std::nullopt;
}

/// "%C3%A9", or with another sign before the digits. nullopt: the sign without two digits.
std::optional<std::string> decode_escapes(std::string_view text, char sign) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != sign) {
      out += text[i];
      continue;
    }
    const auto byte = hex_decode(ascii_lower(text.substr(i + 1, 2)));
    if (!byte || byte->size() != 1) return std::nullopt;
    out += static_cast<char>(byte->front());
    i += 2;
  }
  return out;
}

/// "=C3=A9" for bytes, "_" for a blank.
std::optional<std::string> decode_q(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '_', ' ');
  return decode_escapes(plain, '=');
}

struct Word {
  std::string text;
  std::size_t size = 0;  ///< of the encoded word
};

/// The encoded word that `text` begins with.
std::optional<Word> read_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size()) return std::nullopt;
  if (text[charset_end + 2] != '?') return std::nullopt;
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view inside = text.substr(begin, end - begin);
  std::optional<std::string> bytes;
  if (const char kind = text[charset_end + 1]; kind == 'B' || kind == 'b') {
    if (const auto decoded = base64_decode(inside)) bytes = std::string(as_text(*decoded));
  } else if (kind == 'Q' || kind == 'q') {
    bytes = decode_q(inside);
  }
  if (!bytes) return std::nullopt;
  auto word = to_utf8(text.substr(2, charset_end - 2), std::move(*bytes));
  if (!word) return std::nullopt;
  return Word{std::move(*word), end + 2};
}

}  // namespace

std::optional<std::string> decode_extended_value(std::string_view text) {
  const std::size_t charset_end = text.find('\'');
  if (charset_end == std::string_view::npos) return std::nullopt;
  const std::size_t language_end = text.find('\'', charset_end + 1);
  if (language_end == std::string_view::npos) return std::nullopt;
  auto bytes = decode_escapes(text.substr(language_end + 1), '%');
  if (!bytes) return std::nullopt;
  return to_utf8(text.substr(0, charset_end), std::move(*bytes));
}

std::string decode_words(std::string_view text) {
  std::string out;
  bool behind_word = false;
  while (!text.empty()) {
    const std::size_t blanks = std::min(text.find_first_not_of(" \t"), text.size());
    if (auto word = read_word(text.substr(blanks))) {
      if (!behind_word) out += text.substr(0, blanks);
      out += word->text;
      text.remove_prefix(blanks + word->size);
      behind_word = true;
      continue;
    }
    const std::size_t next = std::min(text.find_first_of(" \t=", blanks + 1), text.size());
    out += text.substr(0, next);
    text.remove_prefix(next);
    behind_word = false;
  }
  return out;
}

}  // namespace posthorn::api
