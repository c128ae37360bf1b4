#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace posthorn::receipts::tables {

// What make_tables.py writes at build time.
extern const std::size_t kPageCount;
extern const std::string_view kPageNames[];  ///< "CP437"
extern const std::size_t kGlyphCount;
extern const std::uint8_t kPacked[];  ///< pages, points, large and small glyphs, deflated by zlib
extern const std::size_t kPackedSize;

/// The tables as they are used. They take a quarter of their size in the program.
struct Unpacked {
  std::vector<std::uint16_t> pages;         ///< 128 code points a page; 0: none
  std::vector<std::uint16_t> glyph_points;  ///< ascending
  std::vector<std::uint8_t> large_glyphs;   ///< 12x24 dots, kLargeBytes each, bits row by row
  std::vector<std::uint8_t> small_glyphs;   ///< 8x16 dots, kSmallBytes each
};
inline constexpr std::size_t kLargeBytes = 36;
inline constexpr std::size_t kSmallBytes = 16;

/// Unpacked at the first call, which may be on any thread.
[[nodiscard]] const Unpacked& unpacked();

}  // namespace posthorn::receipts::tables
