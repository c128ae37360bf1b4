#include "api/qr_png.h"

#include <png.h>
#include <qrencode.h>

#include <csetjmp>
#include <memory>

namespace posthorn::api {

namespace {

constexpr int kQuietModules = 4;
constexpr int kLeastPixels = 264;

struct FreeCode {
  void operator()(QRcode* code) const { QRcode_free(code); }
};
using Code = std::unique_ptr<QRcode, FreeCode>;

bool is_dark(const QRcode& code, int x, int y) {
  if (x < 0 || y < 0 || x >= code.width || y >= code.width) return false;
  return (code.data[y * code.width + x] & 1) != 0;
}

/// Packed rows, 1 bit per pixel, 1 is white: what PNG wants for 1-bit grey.
struct Bitmap {
  int side = 0;
  std::size_t stride = 0;
  std::vector<png_byte> bits;
};

Bitmap draw(const QRcode& code) {
  const int modules = code.width + 2 * kQuietModules;
  const int scale = (kLeastPixels + modules - 1) / modules;
  Bitmap map;
  map.side = modules * scale;
  map.stride = (static_cast<std::size_t>(map.side) + 7) / 8;
  map.bits.resize(map.stride * static_cast<std::size_t>(map.side));
  for (int y = 0; y < map.side; ++y) {
    for (int x = 0; x < map.side; ++x) {
      if (is_dark(code, x / scale - kQuietModules, y / scale - kQuietModules)) continue;
      const std::size_t at =
          static_cast<std::size_t>(y) * map.stride + static_cast<std::size_t>(x) / 8;
      map.bits[at] = static_cast<png_byte>(map.bits[at] | (0x80 >> (x % 8)));
    }
  }
  return map;
}

void on_png_data(png_structp png, png_bytep data, png_size_t size) {
  auto& out = *static_cast<Bytes*>(png_get_io_ptr(png));
  append(out, std::as_bytes(std::span(data, size)));
}

/// libpng reports errors by longjmp: nothing with a destructor lives in this frame.
bool write_png(png_structp png, png_infop info, Bitmap& map) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  const auto side = static_cast<png_uint_32>(map.side);
  png_set_IHDR(png, info, side, side, 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (png_uint_32 y = 0; y < side; ++y) png_write_row(png, map.bits.data() + y * map.stride);
  png_write_end(png, info);
  return true;
}

}  // namespace

Result<Bytes> encode_qr_png(const std::string& text) {
  if (text.empty()) return fail(Errc::malformed, "QR code of nothing");
  const Code code(QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L));
  if (!code) return fail(Errc::malformed, "text too long for a QR code");
  Bitmap map = draw(*code);
  Bytes out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  if (png == nullptr) return fail(Errc::io, "no memory for a PNG");
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &out, on_png_data, nullptr);
  const bool written = info != nullptr && write_png(png, info, map);
  png_destroy_write_struct(&png, &info);
  if (!written) return fail(Errc::io, "PNG could not be made");
  return out;
}

}  // namespace posthorn::api
