#include <png.h>

#include <csetjmp>
#include <memory>
#include <vector>

#include "pictures/formats.h"
#include "pictures/shrink.h"

namespace posthorn::pictures {
namespace {

/// libpng leaves by longjmp; whatever is to be destroyed lives outside of the call.
struct Reading {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::unique_ptr<Shrink> shrink;
  std::vector<std::uint8_t> row;
  std::uint32_t width = 0, height = 0;
  bool too_large = false, interlaced = false;

  Reading() = default;
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { png_destroy_read_struct(&png, &info, nullptr); }
};

void leave(png_structp png, png_const_charp) { png_longjmp(png, 1); }
void say_nothing(png_structp, png_const_charp) {}

/// Whatever it is, rows of eight-bit RGB on white come out.
void ask_for_rgb(Reading& reading) {
  png_set_expand(reading.png);
  png_set_scale_16(reading.png);
  png_set_gray_to_rgb(reading.png);
  png_color_16 white{};
  white.red = white.green = white.blue = white.gray = 0xFF;
  png_set_background(reading.png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
  png_set_strip_alpha(reading.png);
  png_read_update_info(reading.png, reading.info);
}

bool read_all(Reading& reading, std::FILE* file) {
  reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, leave, say_nothing);
  if (reading.png == nullptr) return false;
  reading.info = png_create_info_struct(reading.png);
  if (reading.info == nullptr) return false;
  if (setjmp(png_jmpbuf(reading.png)) != 0) return false;
  png_set_user_limits(reading.png, kLongestEdge, kLongestEdge);
  png_set_chunk_malloc_max(reading.png, kMostMemory / 4);
  // Texts and profiles are kept a thousand times that large, and are of no use here.
  png_set_keep_unknown_chunks(reading.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_init_io(reading.png, file);
  png_read_info(reading.png, reading.info);
  reading.width = png_get_image_width(reading.png, reading.info);
  reading.height = png_get_image_height(reading.png, reading.info);
  reading.too_large = png_get_rowbytes(reading.png, reading.info) * reading.height > kMostWork;
  reading.interlaced = png_get_interlace_type(reading.png, reading.info) != PNG_INTERLACE_NONE;
  if (reading.too_large || reading.interlaced) return false;
  ask_for_rgb(reading);
  if (png_get_rowbytes(reading.png, reading.info) != std::size_t{reading.width} * 3) return false;
  reading.shrink = std::make_unique<Shrink>(reading.width, reading.height);
  reading.row.resize(std::size_t{reading.width} * 3);
  for (std::uint32_t y = 0; y < reading.height; ++y) {
    png_read_row(reading.png, reading.row.data(), nullptr);
    reading.shrink->add_row(reading.row.data());
  }
  return true;
}

}  // namespace

Result<Thumbnail> read_png(std::FILE* file) {
  Reading reading;
  const bool read = read_all(reading, file);
  if (reading.too_large) return fail(Errc::unsupported, "too large a picture for a thumbnail");
  if (reading.interlaced) return fail(Errc::unsupported, "an interlaced PNG gets no thumbnail");
  if (!read) return fail(Errc::malformed, "not a PNG that can be read");
  return Thumbnail{reading.width, reading.height, reading.shrink->jpeg()};
}

}  // namespace posthorn::pictures
