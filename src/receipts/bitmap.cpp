#include "receipts/bitmap.h"

#include <algorithm>

#include "receipts/tables/tables.h"

namespace posthorn::receipts {

namespace {

using tables::kLargeBytes;
using tables::kSmallBytes;

/// kGlyphCount: none.
std::size_t glyph_index(char32_t point) {
  const std::vector<std::uint16_t>& points = tables::unpacked().glyph_points;
  const auto found = std::lower_bound(points.begin(), points.end(), point);
  return found != points.end() && *found == point ? static_cast<std::size_t>(found - points.begin())
                                                  : tables::kGlyphCount;
}

/// The dots of one row, the leftmost the highest bit.
std::uint32_t row_of(const Glyph& glyph, std::size_t y) {
  std::uint32_t out = 0;
  for (std::size_t at = y * glyph.width; at < (y + 1) * glyph.width; ++at) {
    out = out << 1 | (glyph.bits[at / 8] >> (7 - at % 8) & 1U);
  }
  return out;
}

bool bit_of(const Glyph& glyph, std::size_t x, std::size_t y) {
  const std::size_t at = y * glyph.width + x;
  return (glyph.bits[at / 8] >> (7 - at % 8) & 1) != 0;
}

}  // namespace

bool Bitmap::at(std::size_t x, std::size_t y) const {
  return x < width_ && y < rows_ && (bits_[y * stride_ + x / 8] >> (7 - x % 8) & 1) != 0;
}

bool Bitmap::grow(std::size_t rows) {
  const std::size_t wanted = std::min(rows, kMostRows);
  if (wanted > rows_) {
    bits_.resize(wanted * stride_);
    rows_ = wanted;
  }
  return rows <= kMostRows;
}

void Bitmap::set(std::size_t x, std::size_t y) {
  if (x >= width_ || y >= rows_) return;
  std::uint8_t& byte = bits_[y * stride_ + x / 8];
  byte = static_cast<std::uint8_t>(byte | (0x80 >> (x % 8)));
}

void Bitmap::fill(std::size_t x, std::size_t y, std::size_t width, std::size_t height) {
  for (std::size_t row = y; row < std::min(y + height, rows_); ++row) {
    for (std::size_t column = x; column < std::min(x + width, width_); ++column) set(column, row);
  }
}

void Bitmap::set_row(std::size_t x, std::size_t y, std::uint32_t bits, std::size_t count) {
  if (y >= rows_ || x >= width_ || bits == 0) return;
  // 32 dots from the byte in which the first one stands.
  const std::uint32_t shifted = bits << (32 - count) >> (x % 8);
  std::uint8_t* const row = bits_.data() + y * stride_;
  for (std::size_t i = 0; i < 4 && x / 8 + i < stride_; ++i) {
    row[x / 8 + i] = static_cast<std::uint8_t>(row[x / 8 + i] | (shifted >> (24 - 8 * i) & 0xFF));
  }
}

void Bitmap::invert(std::size_t x, std::size_t y, std::size_t width, std::size_t height) {
  for (std::size_t row = y; row < std::min(y + height, rows_); ++row) {
    for (std::size_t column = x; column < std::min(x + width, width_); ++column) {
      std::uint8_t& byte = bits_[row * stride_ + column / 8];
      byte = static_cast<std::uint8_t>(byte ^ (0x80 >> (column % 8)));
    }
  }
}

void Bitmap::trim(std::size_t keep) {
  std::size_t used = rows_;
  const auto is_white = [this](std::size_t y) {
    const auto bytes = row(y);
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
  };
  while (used > 0 && is_white(used - 1)) --used;
  rows_ = std::min(rows_, used + keep);
  bits_.resize(rows_ * stride_);
}

bool Bitmap::empty() const {
  return std::all_of(bits_.begin(), bits_.end(), [](std::uint8_t byte) { return byte == 0; });
}

Glyph glyph_of(Font font, char32_t point) {
  const std::size_t index = glyph_index(point);
  const bool large = font == Font::a;
  Glyph glyph;
  glyph.width = large ? 12 : 8;
  glyph.height = large ? 24 : 16;
  if (index == tables::kGlyphCount) return glyph;
  const tables::Unpacked& all = tables::unpacked();
  glyph.bits = large ? std::span(all.large_glyphs).subspan(index * kLargeBytes, kLargeBytes)
                     : std::span(all.small_glyphs).subspan(index * kSmallBytes, kSmallBytes);
  return glyph;
}

bool has_glyph(char32_t point) { return glyph_index(point) != tables::kGlyphCount; }
std::size_t cell_width(Font font) { return font == Font::a ? 12 : 9; }
std::size_t cell_height(Font font) { return font == Font::a ? 24 : 17; }

void draw_letter(Bitmap& paper, std::size_t x, std::size_t top, char32_t point,
                 const LetterStyle& style) {
  const std::size_t width = cell_width(style.font) * style.wide;
  const std::size_t height = cell_height(style.font) * style.tall;
  const Glyph glyph = glyph_of(style.font, point);
  if (style.wide == 1 && style.tall == 1 && !glyph.bits.empty()) {
    for (std::size_t gy = 0; gy < glyph.height; ++gy) {
      const std::uint32_t bits = row_of(glyph, gy);
      paper.set_row(x, top + gy, bits, glyph.width);
      if (style.bold) paper.set_row(x + 1, top + gy, bits, glyph.width);
    }
  }
  const bool drawn = style.wide == 1 && style.tall == 1 && !glyph.bits.empty();
  const auto dot = [&](std::size_t gx, std::size_t gy) {
    paper.fill(x + gx * style.wide, top + gy * style.tall, style.wide + (style.bold ? 1 : 0),
               style.tall);
  };
  for (std::size_t gy = 0; !drawn && gy < glyph.height; ++gy) {
    for (std::size_t gx = 0; gx < glyph.width; ++gx) {
      const bool edge = gx == 1 || gy == 3 || gx + 2 == glyph.width || gy + 4 == glyph.height;
      const bool inside = gx >= 1 && gy >= 3 && gx + 2 <= glyph.width && gy + 4 <= glyph.height;
      if (glyph.bits.empty() ? edge && inside : bit_of(glyph, gx, gy)) dot(gx, gy);
    }
  }
  if (style.underline) paper.fill(x, top + height - style.tall, width, style.tall);
  if (style.inverted) paper.invert(x, top, width, height);
}

}  // namespace posthorn::receipts
