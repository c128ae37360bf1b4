#include "posthorn/base/phone_number.h"

#include <optional>

namespace posthorn {

namespace {

constexpr std::size_t kShortest = 7;  // with a country code; the smallest islands have four digits
constexpr std::size_t kLongest = 15;  // E.164
constexpr const char* kExample = ", for example 4915550001234";

/// One character and how many bytes it takes; bytes that are no UTF-8 stand for themselves.
struct Character {
  char32_t code;
  std::size_t size;
};

Character first_of(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  if ((byte(0) & 0xE0U) == 0xC0U && follows(1)) {
    return {((byte(0) & 0x1FU) << 6) | (byte(1) & 0x3FU), 2};
  }
  if ((byte(0) & 0xF0U) == 0xE0U && follows(1) && follows(2)) {
    return {((byte(0) & 0x0FU) << 12) | ((byte(1) & 0x3FU) << 6) | (byte(2) & 0x3FU), 3};
  }
  return {byte(0), 1};
}

bool between(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

/// Unicode's spaces and its marks without width or ink (general categories Zs and Cf, as far as
/// keyboards, contact lists and web pages produce them).
bool is_unseen(char32_t code) {
  return code == ' ' || between(code, '\t', '\r') || code == 0xA0 || code == 0xAD ||
         code == 0x61C || code == 0x180E || between(code, 0x2000, 0x200F) ||
         between(code, 0x2028, 0x202F) || between(code, 0x205F, 0x206F) || code == 0x3000 ||
         code == 0xFEFF;
}

bool is_dash(char32_t code) {
  return code == '-' || between(code, 0x2010, 0x2015) || code == 0x2212 || code == 0xFE63 ||
         code == 0xFF0D;
}

std::optional<char> digit_of(char32_t code) {
  for (const char32_t zero : {U'0', U'\u0660', U'\u06F0', U'\u0966', U'\uFF10'}) {
    if (between(code, zero, zero + 9)) return static_cast<char>('0' + (code - zero));
  }
  return std::nullopt;
}

/// Digits, '+', and the marks between them in ASCII. nullopt: something that no number has.
std::optional<std::string> plain_form(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const Character next = first_of(text);
    text.remove_prefix(next.size);
    if (is_unseen(next.code)) continue;
    if (const auto digit = digit_of(next.code)) {
      plain.push_back(*digit);
    } else if (is_dash(next.code)) {
      plain.push_back('-');
    } else if (next.code == '+' || next.code == 0xFF0B) {
      plain.push_back('+');
    } else if (next.code == '(' || next.code == ')' || next.code == '/' || next.code == '.') {
      plain.push_back(static_cast<char>(next.code));
    } else {
      return std::nullopt;
    }
  }
  return plain;
}

tl::unexpected<Error> national() {
  return fail(Errc::malformed,
              std::string("a phone number that begins with 0 is known only inside its country: "
                          "write the country code in place of that 0") +
                  kExample);
}

/// "+49(0)155": the zero in brackets is dialled inside the country only, and only there. Gives
/// false where a sign stands that a number has once, in front.
bool drop_marks(std::string& plain) {
  const std::size_t zero = plain.find("(0)");
  if (zero != std::string::npos && zero > 0) plain.erase(zero, 3);
  const bool plus = plain.starts_with('+') || plain.starts_with("(+");
  std::erase_if(plain, [](char c) { return c == '-' || c == '(' || c == ')' || c == '/'; });
  if (plus) plain.erase(0, 1);
  // "4915550001234.0" is what a spreadsheet made of a number: its last zero is no digit of it.
  const std::size_t dot = plain.rfind('.');
  if (dot != std::string::npos && dot + 2 >= plain.size()) return false;
  std::erase(plain, '.');
  return plain.find('+') == std::string::npos;
}

}  // namespace

Result<std::string> parse_phone_number(std::string_view text) {
  auto plain = plain_form(text);
  if (!plain || !drop_marks(*plain)) {
    return fail(Errc::malformed,
                std::string("a phone number has digits, blanks, + - / ( ) and dots between groups "
                            "of digits only: write it with its country code") +
                    kExample);
  }
  std::string& digits = *plain;
  if (digits.starts_with("00")) digits.erase(0, 2);
  if (digits.starts_with('0')) return national();
  // No country has the code 89, and inside Russia mobile numbers are dialled as 8 9xx.
  if (digits.size() == 11 && digits.starts_with("89")) digits[0] = '7';
  if (digits.size() < kShortest || digits.size() > kLongest) {
    return fail(Errc::malformed,
                "a phone number has 7 to 15 digits with its country code, this one has " +
                    std::to_string(digits.size()) + ": write it in full" + kExample);
  }
  return std::move(digits);
}

std::string without_invisible(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character next = first_of(text);
    if (!is_unseen(next.code)) out.append(text.substr(0, next.size));
    text.remove_prefix(next.size);
  }
  return out;
}

}  // namespace posthorn
