#include <array>
#include <cstdio>

#include "posthorn/cloud/webhook.h"

namespace posthorn::cloud {
namespace {

std::string escape(unsigned unit) {
  std::array<char, 8> out{};
  std::snprintf(out.data(), out.size(), "\\u%04x", unit & 0xFFFFU);
  return out.data();
}

/// One sequence of well-formed UTF-8; what is not becomes U+FFFD, a byte at a time.
unsigned take(std::string_view& text) {
  const auto byte = [&text](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[at]));
  };
  const unsigned first = byte(0);
  const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  constexpr std::array<unsigned, 5> kMask{0, 0x7F, 0x1F, 0x0F, 0x07};
  unsigned point = first & kMask.at(length);
  bool fine = length > 1 && text.size() >= length && first < 0xF5;
  for (std::size_t i = 1; fine && i < length; ++i) {
    fine = (byte(i) & 0xC0U) == 0x80U;
    point = point << 6U | (byte(i) & 0x3FU);
  }
  if (!fine) {
    text.remove_prefix(1);
    return 0xFFFD;
  }
  text.remove_prefix(length);
  return point;
}

}  // namespace

std::string ascii_json(const json::Value& value) {
  const std::string utf8 = json::write(value);
  std::string out;
  out.reserve(utf8.size());
  std::string_view rest = utf8;
  while (!rest.empty()) {
    if (static_cast<unsigned char>(rest.front()) < 0x80) {
      out += rest.front();
      rest.remove_prefix(1);
      continue;
    }
    const unsigned point = take(rest);
    if (point >= 0x10000) {
      out += escape(0xD800 + ((point - 0x10000) >> 10U));
      out += escape(0xDC00 + ((point - 0x10000) & 0x3FFU));
    } else {
      out += escape(point);
    }
  }
  return out;
}

}  // namespace posthorn::cloud
