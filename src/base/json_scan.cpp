#include "base/json_scan.h"

#include <charconv>

namespace posthorn::json {

namespace {

constexpr std::size_t kEscape = 6;  // \uXXXX

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The code unit of a \uXXXX at that place; nullopt: there is none.
std::optional<unsigned> code_unit(std::string_view text, std::size_t at) {
  if (at + kEscape > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const char* first = text.data() + at + 2;
  const auto [end, error] = std::from_chars(first, first + 4, unit, 16);
  if (error != std::errc() || end != first + 4) return std::nullopt;
  return unit;
}

bool is_high(unsigned unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low(unsigned unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

std::size_t digits_from(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Scan run() {
    while (at_ < text_.size() && !found_.bad_number) step();
    return std::move(found_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '"') return string();
    if (c == '-' || is_digit(c)) return number();
    if (c == ',' || c == '[' || c == '{') ++found_.values;
    ++at_;
  }

  void string() {
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        escape();
      } else {
        ++at_;
      }
    }
    ++at_;
  }

  void escape() {
    const auto unit = code_unit(text_, at_);
    if (!unit) {
      at_ += 2;
      return;
    }
    const auto next = code_unit(text_, at_ + kEscape);
    if (is_high(*unit) && next && is_low(*next)) {
      at_ += 2 * kEscape;
      return;
    }
    if (is_high(*unit) || is_low(*unit)) {
      if (!found_.mended) found_.mended = std::string(text_);
      found_.mended->replace(at_ + 2, 4, "fffd");
    }
    at_ += kEscape;
  }

  /// RFC 8259 section 6.
  void number() {
    const std::size_t first = at_;
    std::size_t at = at_ + (text_[at_] == '-' ? 1 : 0);
    const std::size_t whole = at;
    at = digits_from(text_, at);
    bool right = at > whole && (at == whole + 1 || text_[whole] != '0');
    if (at < text_.size() && text_[at] == '.') {
      const std::size_t end = digits_from(text_, at + 1);
      right = right && end > at + 1;
      at = end;
    }
    if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
      const bool sign = at + 1 < text_.size() && (text_[at + 1] == '+' || text_[at + 1] == '-');
      const std::size_t exponent = at + (sign ? 2 : 1);
      at = digits_from(text_, exponent);
      right = right && at > exponent;
    }
    if (!right) found_.bad_number = first;
    at_ = at > first ? at : first + 1;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Scan found_;
};

}  // namespace

Scan scan(std::string_view text) { return Scanner(text).run(); }

}  // namespace posthorn::json
