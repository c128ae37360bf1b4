#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "receipts/code_page.h"

namespace posthorn::receipts {

/// Letters of more than one byte (Chinese, Japanese, Korean), byte by byte, as the C library's
/// iconv knows them: nullopt while a letter is incomplete, U+FFFD for what is none.
class WideReader {
 public:
  WideReader() = default;
  WideReader(const WideReader&) = delete;
  WideReader& operator=(const WideReader&) = delete;
  ~WideReader();

  /// page: one of those for which CodePage::is_wide() holds. byte: 0x20 .. 0xFF.
  [[nodiscard]] std::optional<char32_t> take(CodePage page, std::uint8_t byte);

 private:
  void open(CodePage page);

  std::optional<CodePage> page_;
  void* converter_ = nullptr;  ///< null: the C library has none
  std::array<char, 4> bytes_{};
  std::size_t size_ = 0;
};

/// Whether this system's C library has the page.
[[nodiscard]] bool can_read_wide(CodePage page);

/// Letters that are as wide as two others.
[[nodiscard]] bool is_wide_letter(char32_t point);

}  // namespace posthorn::receipts
