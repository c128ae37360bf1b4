#include "pictures/shrink.h"

#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <algorithm>

namespace posthorn::pictures {
namespace {

constexpr int kQuality = 50;

std::uint32_t scaled(std::uint32_t edge, std::uint32_t longest) {
  if (longest <= kEdge) return edge;
  const auto out = static_cast<std::uint32_t>(std::uint64_t{edge} * kEdge / longest);
  return std::max(out, 1U);
}

}  // namespace

Shrink::Shrink(std::uint32_t width, std::uint32_t height)
    : width_(width),
      height_(height),
      out_width_(scaled(width, std::max(width, height))),
      out_height_(scaled(height, std::max(width, height))),
      sums_(std::size_t{3} * out_width_ * out_height_),
      counts_(std::size_t{1} * out_width_ * out_height_) {}

void Shrink::add_row(const std::uint8_t* rgb) {
  if (row_ >= height_) return;
  const std::size_t y = std::uint64_t{row_++} * out_height_ / height_;
  for (std::uint32_t x = 0; x < width_; ++x) {
    const std::size_t at = y * out_width_ + std::uint64_t{x} * out_width_ / width_;
    for (std::size_t c = 0; c < 3; ++c) sums_[3 * at + c] += rgb[3 * std::size_t{x} + c];
    ++counts_[at];
  }
}

Bytes Shrink::jpeg() const {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  // What we give is right by construction; a library that ends the program for want of a few KiB
  // would have ended it a moment later.
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = out_width_;
  jpeg.image_height = out_height_;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, kQuality, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<std::uint8_t> row(std::size_t{3} * out_width_);
  for (std::size_t y = 0; y < out_height_; ++y) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::uint32_t count = std::max(counts_[y * out_width_ + i / 3], 1U);
      row[i] = static_cast<std::uint8_t>(sums_[y * row.size() + i] / count);
    }
    JSAMPROW line = row.data();
    jpeg_write_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  Bytes bytes = to_bytes(ByteView(reinterpret_cast<const std::byte*>(out), size));
  std::free(out);
  return bytes;
}

}  // namespace posthorn::pictures
