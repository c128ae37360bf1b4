#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What make_tables.py writes at build time.
namespace posthorn::receipts::tables {

extern const std::size_t kPageCount;
extern const std::string_view kPageNames[];  ///< "CP437"
extern const std::uint16_t kPages[];         ///< 128 code points a page; 0: none

extern const std::size_t kGlyphCount;
extern const std::uint16_t kGlyphPoints[];  ///< ascending
extern const std::uint8_t kLargeGlyphs[];   ///< 12x24 dots, 36 bytes each, bits row by row
extern const std::uint8_t kSmallGlyphs[];   ///< 8x16 dots, 16 bytes each

}  // namespace posthorn::receipts::tables
