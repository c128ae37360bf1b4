#pragma once

#include <cstdint>
#include <vector>

#include "posthorn/base/bytes.h"

namespace posthorn::pictures {

/// Of memory for one picture on its way.
inline constexpr std::uint64_t kMostMemory = std::uint64_t{16} << 20;
/// Longest edge of a thumbnail, in pixels.
inline constexpr std::uint32_t kEdge = 100;
/// Larger ones are no photos.
inline constexpr std::uint32_t kLongestEdge = 30'000;
/// What one picture may cost of a thread, which others wait for: pixels of a JPEG, once for each of
/// its scans, or bytes of what comes out of a PNG or WebP. Photos of 200 megapixels are below it.
inline constexpr std::uint64_t kMostWork = std::uint64_t{256} << 20;

/// Takes a picture row by row, averages it into a small one and keeps nothing else of it.
class Shrink {
 public:
  /// Of what comes in rows of RGB; both at least 1.
  Shrink(std::uint32_t width, std::uint32_t height);

  /// width * 3 bytes, height times.
  void add_row(const std::uint8_t* rgb);
  /// The small picture as a baseline JPEG.
  [[nodiscard]] Bytes jpeg() const;

 private:
  std::uint32_t width_, height_;          ///< of what comes
  std::uint32_t out_width_, out_height_;  ///< of what is made
  std::uint32_t row_ = 0;
  std::vector<std::uint32_t> sums_;    ///< RGB per pixel
  std::vector<std::uint32_t> counts_;  ///< of what went into it
};

}  // namespace posthorn::pictures
