#include <webp/decode.h>

#include <algorithm>
#include <vector>

#include "pictures/formats.h"
#include "pictures/shrink.h"

namespace posthorn::pictures {
namespace {

constexpr std::size_t kLargestFile = std::size_t{4} << 20;  // it is read as a whole
constexpr std::uint32_t kDecodedEdge = 2 * kEdge;

/// What the decoder keeps: of a lossless one the whole picture, else some rows.
std::uint64_t memory_of(const WebPBitstreamFeatures& about) {
  constexpr int kLossless = 2;
  const auto width = static_cast<std::uint64_t>(about.width);
  const auto height = static_cast<std::uint64_t>(about.height);
  return about.format == kLossless ? 4 * width * height : 64 * width * 3;
}

Result<std::vector<std::uint8_t>> read_whole(std::FILE* file) {
  std::vector<std::uint8_t> bytes(kLargestFile + 1);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  if (bytes.size() > kLargestFile) {
    return fail(Errc::unsupported, "too large a picture for a thumbnail");
  }
  return bytes;
}

}  // namespace

Result<Thumbnail> read_webp(std::FILE* file) {
  TRY(const std::vector<std::uint8_t> bytes, read_whole(file));
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0 ||
      WebPGetFeatures(bytes.data(), bytes.size(), &config.input) != VP8_STATUS_OK) {
    return fail(Errc::malformed, "not a WebP that can be read");
  }
  const auto width = static_cast<std::uint32_t>(config.input.width);
  const auto height = static_cast<std::uint32_t>(config.input.height);
  const bool too_much = std::uint64_t{4} * width * height > kMostWork;
  if (too_much || memory_of(config.input) > kMostMemory || config.input.has_animation != 0) {
    return fail(Errc::unsupported, "a WebP that gets no thumbnail");
  }
  const std::uint32_t longest = std::max(width, height);
  std::uint32_t out_width = width;
  std::uint32_t out_height = height;
  if (longest > kDecodedEdge) {
    out_width = std::max(width * kDecodedEdge / longest, 1U);
    out_height = std::max(height * kDecodedEdge / longest, 1U);
    config.options.use_scaling = 1;
    config.options.scaled_width = static_cast<int>(out_width);
    config.options.scaled_height = static_cast<int>(out_height);
  }
  std::vector<std::uint8_t> rgb(std::size_t{3} * out_width * out_height);
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = rgb.data();
  config.output.u.RGBA.stride = static_cast<int>(3 * out_width);
  config.output.u.RGBA.size = rgb.size();
  const bool read = WebPDecode(bytes.data(), bytes.size(), &config) == VP8_STATUS_OK;
  WebPFreeDecBuffer(&config.output);
  if (!read) return fail(Errc::malformed, "not a WebP that can be read");
  Shrink shrink(out_width, out_height);
  for (std::size_t y = 0; y < out_height; ++y) shrink.add_row(rgb.data() + 3 * y * out_width);
  return Thumbnail{width, height, shrink.jpeg()};
}

}  // namespace posthorn::pictures
