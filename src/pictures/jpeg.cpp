#include <cstdio>

#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <memory>
#include <vector>

#include "pictures/formats.h"
#include "pictures/shrink.h"

namespace posthorn::pictures {
namespace {

/// Encoders write some ten; a file of 2 MiB has room for 100,000.
constexpr int kMostScans = 60;

/// libjpeg leaves by longjmp; whatever is to be destroyed lives outside of the call.
struct Reading {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf way_out{};
  std::unique_ptr<Shrink> shrink;
  std::vector<std::uint8_t> row;
  std::uint32_t width = 0, height = 0;
  bool too_large = false;

  Reading() = default;
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { jpeg_destroy_decompress(&jpeg); }
};

void leave(j_common_ptr jpeg) {
  std::longjmp(static_cast<Reading*>(jpeg->client_data)->way_out, 1);
}

void say_nothing(j_common_ptr) {}

/// Called by libjpeg for each row of blocks of each scan: every scan walks the whole picture, and
/// how many there are is the file's own word.
void watch_scans(j_common_ptr common) {
  auto& reading = *static_cast<Reading*>(common->client_data);
  const int scans = reading.jpeg.input_scan_number;
  const std::uint64_t pixels = std::uint64_t{reading.width} * reading.height;
  reading.too_large =
      scans > kMostScans || static_cast<std::uint64_t>(std::max(scans, 1)) * pixels > kMostWork;
  if (reading.too_large) leave(common);
}

/// Of a progressive JPEG all coefficients are in memory before the first row comes.
std::uint64_t memory_of(const jpeg_decompress_struct& jpeg) {
  if (jpeg_has_multiple_scans(const_cast<jpeg_decompress_struct*>(&jpeg)) == FALSE) return 0;
  std::uint64_t samples = 0;
  for (int i = 0; i < jpeg.num_components; ++i) {
    const jpeg_component_info& part = jpeg.comp_info[i];
    samples += std::uint64_t{jpeg.image_width} * jpeg.image_height *
               static_cast<unsigned>(part.h_samp_factor * part.v_samp_factor) /
               static_cast<unsigned>(jpeg.max_h_samp_factor * jpeg.max_v_samp_factor);
  }
  return samples * sizeof(JCOEF);
}

/// False: it ended by an error.
bool read_all(Reading& reading, std::FILE* file) {
  jpeg_decompress_struct& jpeg = reading.jpeg;
  jpeg.err = jpeg_std_error(&reading.errors);
  reading.errors.error_exit = leave;
  reading.errors.output_message = say_nothing;
  jpeg.client_data = &reading;
  if (setjmp(reading.way_out) != 0) return false;
  jpeg_create_decompress(&jpeg);
  jpeg_stdio_src(&jpeg, file);
  jpeg_read_header(&jpeg, TRUE);
  reading.width = jpeg.image_width;
  reading.height = jpeg.image_height;
  reading.too_large = jpeg.image_width > kLongestEdge || jpeg.image_height > kLongestEdge ||
                      memory_of(jpeg) > kMostMemory ||
                      std::uint64_t{reading.width} * reading.height > kMostWork;
  if (reading.too_large) return false;
  jpeg.out_color_space = JCS_RGB;
  jpeg.dct_method = JDCT_IFAST;
  jpeg.scale_denom = 8;
  jpeg.scale_num = 1;
  while (jpeg.scale_num < 8 && jpeg.image_width * jpeg.scale_num / 8 < 2 * kEdge &&
         jpeg.image_height * jpeg.scale_num / 8 < 2 * kEdge) {
    jpeg.scale_num *= 2;
  }
  reading.progress.progress_monitor = watch_scans;
  jpeg.progress = &reading.progress;
  jpeg_start_decompress(&jpeg);
  reading.shrink = std::make_unique<Shrink>(jpeg.output_width, jpeg.output_height);
  reading.row.resize(std::size_t{jpeg.output_width} * 3);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW line = reading.row.data();
    if (jpeg_read_scanlines(&jpeg, &line, 1) != 1) return false;
    reading.shrink->add_row(line);
  }
  return true;
}

}  // namespace

Result<Thumbnail> read_jpeg(std::FILE* file) {
  Reading reading;
  const bool read = read_all(reading, file);
  if (reading.too_large) return fail(Errc::unsupported, "too large a picture for a thumbnail");
  if (!read) return fail(Errc::malformed, "not a JPEG that can be read");
  return Thumbnail{reading.width, reading.height, reading.shrink->jpeg()};
}

}  // namespace posthorn::pictures
