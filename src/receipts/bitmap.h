#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace posthorn::receipts {

/// Dots of paper, black or white, that grows downwards. Rows are bytes, the leftmost dot the
/// highest bit, 1 is black.
class Bitmap {
 public:
  /// 4 m of paper at 203 dpi, 2.3 MB at 80 mm: what is printed further down is not kept.
  static constexpr std::size_t kMostRows = 32'000;

  /// width: dots, a multiple of 8.
  explicit Bitmap(std::size_t width) : width_(width), stride_(width / 8) {}

  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] std::size_t height() const { return rows_; }
  [[nodiscard]] std::size_t stride() const { return stride_; }
  [[nodiscard]] std::span<const std::uint8_t> row(std::size_t y) const {
    return std::span(bits_).subspan(y * stride_, stride_);
  }
  [[nodiscard]] bool at(std::size_t x, std::size_t y) const;

  /// At least so many rows; false: more than kMostRows.
  bool grow(std::size_t rows);
  /// A black dot; what lies outside is dropped.
  void set(std::size_t x, std::size_t y);
  void fill(std::size_t x, std::size_t y, std::size_t width, std::size_t height);
  /// Blackens dots of one row: the lowest `count` (at most 24) bits, the highest of them leftmost.
  void set_row(std::size_t x, std::size_t y, std::uint32_t bits, std::size_t count);
  /// Turns black and white around.
  void invert(std::size_t x, std::size_t y, std::size_t width, std::size_t height);
  /// White rows at the end go, but for `keep` of them.
  void trim(std::size_t keep);
  [[nodiscard]] bool empty() const;

 private:
  std::size_t width_;
  std::size_t stride_;
  std::size_t rows_ = 0;
  std::vector<std::uint8_t> bits_;
};

/// One letter of the built-in font.
struct Glyph {
  std::span<const std::uint8_t> bits;  ///< row by row, without padding
  std::size_t width = 0, height = 0;
};
enum class Font : std::uint8_t { a, b };  ///< 12x24 and 9x17 dots
/// nullptr bits: the font has no such letter.
[[nodiscard]] Glyph glyph_of(Font font, char32_t point);
[[nodiscard]] bool has_glyph(char32_t point);
[[nodiscard]] std::size_t cell_width(Font font);
[[nodiscard]] std::size_t cell_height(Font font);

struct LetterStyle {
  Font font = Font::a;
  std::size_t wide = 1, tall = 1;  ///< 1 .. 8
  bool bold = false, underline = false, inverted = false;
};
/// top: of the cell. A letter that the font does not have is drawn as an empty box.
void draw_letter(Bitmap& paper, std::size_t x, std::size_t top, char32_t point,
                 const LetterStyle& style);

}  // namespace posthorn::receipts
