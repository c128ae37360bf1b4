#include "chat/files/html_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "posthorn/base/utf8.h"

namespace posthorn::chat {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

void put_utf8(std::string& out, std::uint32_t c) {
  if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = 0xFFFD;
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6U);
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12U);
    put(0x80 | (c >> 6U & 0x3F));
  } else {
    put(0xF0 | c >> 18U);
    put(0x80 | (c >> 12U & 0x3F));
    put(0x80 | (c >> 6U & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

struct Entity {
  std::string_view name;
  std::uint32_t value;
};
// Those that titles are written with. Source: HTML living standard 13.5.
constexpr std::array kEntities{
    Entity{"amp", '&'},       Entity{"lt", '<'},       Entity{"gt", '>'},
    Entity{"quot", '"'},      Entity{"apos", '\''},    Entity{"nbsp", ' '},
    Entity{"auml", 0xE4},     Entity{"ouml", 0xF6},    Entity{"uuml", 0xFC},
    Entity{"Auml", 0xC4},     Entity{"Ouml", 0xD6},    Entity{"Uuml", 0xDC},
    Entity{"szlig", 0xDF},    Entity{"eacute", 0xE9},  Entity{"egrave", 0xE8},
    Entity{"agrave", 0xE0},   Entity{"ccedil", 0xE7},  Entity{"ntilde", 0xF1},
    Entity{"copy", 0xA9},     Entity{"reg", 0xAE},     Entity{"trade", 0x2122},
    Entity{"euro", 0x20AC},   Entity{"ndash", 0x2013}, Entity{"mdash", 0x2014},
    Entity{"hellip", 0x2026}, Entity{"bull", 0x2022},  Entity{"middot", 0xB7},
    Entity{"laquo", 0xAB},    Entity{"raquo", 0xBB},   Entity{"lsquo", 0x2018},
    Entity{"rsquo", 0x2019},  Entity{"ldquo", 0x201C}, Entity{"rdquo", 0x201D},
    Entity{"bdquo", 0x201E},
};

/// Of "amp", "#39" or "#x27".
std::optional<std::uint32_t> value_of(std::string_view name) {
  if (!name.starts_with('#')) {
    const auto* found = std::find_if(kEntities.begin(), kEntities.end(),
                                     [name](const Entity& one) { return one.name == name; });
    return found == kEntities.end() ? std::nullopt : std::optional(found->value);
  }
  name.remove_prefix(1);
  const bool hex = name.starts_with('x') || name.starts_with('X');
  if (hex) name.remove_prefix(1);
  std::uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return value;
}

std::string without_entities(std::string_view text) {
  constexpr std::size_t kLongestName = 10;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    if (end != std::string_view::npos && end - i <= kLongestName) {
      if (const auto value = value_of(text.substr(i + 1, end - i - 1))) {
        put_utf8(out, *value);
        i = end;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

/// How many bytes follow the first one of a character; nullopt: it is no first one.
std::optional<std::size_t> followers(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xC2 && first < 0xE0) return 1;
  if (first >= 0xE0 && first < 0xF0) return 2;
  if (first >= 0xF0 && first < 0xF5) return 3;
  return std::nullopt;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto more = followers(static_cast<unsigned char>(text[i]));
    if (!more || i + *more >= text.size()) return false;
    for (std::size_t n = 0; n < *more; ++n) {
      if ((static_cast<unsigned char>(text[++i]) & 0xC0U) != 0x80) return false;
    }
  }
  return true;
}

/// What Windows-1252 has at 0x80 .. 0x9F; the rest of it is Latin-1. Source: WHATWG encoding.
constexpr std::array<std::uint16_t, 32> kWindows{
    0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6,  0x2030, 0x160,
    0x2039, 0x152,  0x8D,   0x17D,  0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};

std::string as_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    put_utf8(out, byte >= 0x80 && byte < 0xA0 ? kWindows.at(byte - 0x80U) : byte);
  }
  return out;
}

}  // namespace

std::string readable_html(std::string_view raw, std::size_t most) {
  const std::string text = without_entities(as_utf8(raw));
  std::string out;
  for (const char c : text) {
    const bool blank = is_blank(c) || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    if (out.size() > most + 4) break;
  }
  out = cut_utf8(out, most);
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace posthorn::chat
