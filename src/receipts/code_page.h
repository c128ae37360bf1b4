#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "receipts/lexer.h"

namespace posthorn::receipts {

/// Stands for bytes that are no letter.
inline constexpr char32_t kReplacement = 0xFFFD;

/// Which characters the bytes 0x80 .. 0xFF are.
struct CodePage {
  static constexpr std::size_t kUtf8 = SIZE_MAX;
  static constexpr std::size_t kWide = SIZE_MAX / 2;

  /// Of the tables that the build makes; or kUtf8; from kWide on those with letters of two bytes.
  std::size_t index = 0;

  [[nodiscard]] bool is_wide() const { return index >= kWide && index != kUtf8; }

  bool operator==(const CodePage&) const = default;
};

/// "CP858", "cp1251", "ISO8859-15", "UTF-8", "GB18030", as settings name them. nullopt: none of
/// that name. Those of two bytes need the C library: can_read_wide().
[[nodiscard]] std::optional<CodePage> find_code_page(std::string_view name);
[[nodiscard]] std::string_view name_of(CodePage page);
/// "CP437, CP720, …"
[[nodiscard]] std::string code_page_names();

/// The page that `ESC t n` (ESC/POS) or `ESC GS t n` (Star) selects. nullopt: none that is known
/// here. Source: the default profile of escpos-printer-db (CC BY 4.0) and Star's manual.
[[nodiscard]] std::optional<CodePage> code_page_by_number(Language language, std::uint8_t number);

/// One byte 0x80 .. 0xFF as a code point; 0: it has none, or the page has letters of more bytes.
[[nodiscard]] char32_t to_code_point(CodePage page, std::uint8_t byte);

/// The page in which bytes of a till that selects none make the most of words: letters stand beside
/// letters, and prices beside signs of money. text: whole lines.
[[nodiscard]] CodePage guess_code_page(ByteView text);

void append_utf8(std::string& out, char32_t point);

/// Bytes that arrive one by one as UTF-8: nullopt while a character is incomplete; U+FFFD for what
/// is none.
class Utf8Reader {
 public:
  [[nodiscard]] std::optional<char32_t> take(std::uint8_t byte);

 private:
  char32_t point_ = 0;
  int left_ = 0;
};

}  // namespace posthorn::receipts
