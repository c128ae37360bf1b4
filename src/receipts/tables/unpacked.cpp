#include <zlib.h>

#include <cassert>
#include <span>

#include "receipts/tables/tables.h"

namespace posthorn::receipts::tables {

namespace {

std::vector<std::uint16_t> points(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint16_t> out;
  out.reserve(bytes.size() / 2);
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    out.push_back(static_cast<std::uint16_t>(bytes[i] | bytes[i + 1] << 8));
  }
  return out;
}

Unpacked unpack() {
  const std::size_t pages = kPageCount * 128 * 2, glyphs = kGlyphCount;
  std::vector<std::uint8_t> all(pages + glyphs * (2 + kLargeBytes + kSmallBytes));
  uLongf size = all.size();
  const int done = uncompress(all.data(), &size, kPacked, kPackedSize);
  assert(done == Z_OK && size == all.size());
  (void)done;
  std::span<const std::uint8_t> left(all);
  const auto take = [&left](std::size_t count) {
    const auto out = left.first(count);
    left = left.subspan(count);
    return out;
  };
  Unpacked out;
  out.pages = points(take(pages));
  out.glyph_points = points(take(glyphs * 2));
  const auto large = take(glyphs * kLargeBytes), small = take(glyphs * kSmallBytes);
  out.large_glyphs.assign(large.begin(), large.end());
  out.small_glyphs.assign(small.begin(), small.end());
  return out;
}

}  // namespace

const Unpacked& unpacked() {
  static const Unpacked tables = unpack();
  return tables;
}

}  // namespace posthorn::receipts::tables
