#include "api/qr_png.h"

#include <qrencode.h>
#include <zlib.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace posthorn::api {

namespace {

constexpr int kQuietModules = 4;
constexpr int kLeastPixels = 264;
constexpr std::array<std::uint8_t, 8> kSignature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
/// Bit depth, colour type, compression, filter, interlace: the end of the header.
constexpr std::array<std::uint8_t, 5> kOneBitGrey{1, 0, 0, 0, 0};

struct FreeCode {
  void operator()(QRcode* code) const { QRcode_free(code); }
};
using Code = std::unique_ptr<QRcode, FreeCode>;

bool is_dark(const QRcode& code, int x, int y) {
  if (x < 0 || y < 0 || x >= code.width || y >= code.width) return false;
  return (code.data[y * code.width + x] & 1) != 0;
}

/// The rows of a PNG of 1-bit grey: each a filter byte (0: none), then packed pixels, 1 is white.
struct Bitmap {
  int side = 0;
  std::vector<std::uint8_t> rows;
};

Bitmap draw(const QRcode& code) {
  const int modules = code.width + 2 * kQuietModules;
  const int scale = (kLeastPixels + modules - 1) / modules;
  Bitmap map;
  map.side = modules * scale;
  const std::size_t stride = 1 + (static_cast<std::size_t>(map.side) + 7) / 8;
  map.rows.resize(stride * static_cast<std::size_t>(map.side));
  for (int y = 0; y < map.side; ++y) {
    for (int x = 0; x < map.side; ++x) {
      if (is_dark(code, x / scale - kQuietModules, y / scale - kQuietModules)) continue;
      std::uint8_t& pixels =
          map.rows[static_cast<std::size_t>(y) * stride + 1 + static_cast<std::size_t>(x) / 8];
      pixels = static_cast<std::uint8_t>(pixels | (0x80 >> (x % 8)));
    }
  }
  return map;
}

void append_u32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

/// Length, name, data, CRC of name and data.
void append_chunk(Bytes& out, std::string_view name, ByteView data) {
  append_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  append(out, as_bytes(name));
  append(out, data);
  const auto* checked = reinterpret_cast<const Bytef*>(out.data() + start);
  append_u32(out,
             static_cast<std::uint32_t>(crc32(0, checked, static_cast<uInt>(out.size() - start))));
}

Result<Bytes> deflate_rows(const Bitmap& map) {
  auto size = compressBound(static_cast<uLong>(map.rows.size()));
  Bytes out(size);
  if (compress(reinterpret_cast<Bytef*>(out.data()), &size, map.rows.data(),
               static_cast<uLong>(map.rows.size())) != Z_OK) {
    return fail(Errc::io, "no memory for a PNG");
  }
  out.resize(size);
  return out;
}

}  // namespace

Result<Bytes> encode_qr_png(const std::string& text) {
  if (text.empty()) return fail(Errc::malformed, "QR code of nothing");
  const Code code(QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L));
  if (!code) return fail(Errc::malformed, "text too long for a QR code");
  const Bitmap map = draw(*code);
  TRY(const Bytes pixels, deflate_rows(map));
  Bytes header;
  append_u32(header, static_cast<std::uint32_t>(map.side));
  append_u32(header, static_cast<std::uint32_t>(map.side));
  append(header, std::as_bytes(std::span(kOneBitGrey)));
  Bytes out = to_bytes(std::as_bytes(std::span(kSignature)));
  append_chunk(out, "IHDR", header);
  append_chunk(out, "IDAT", pixels);
  append_chunk(out, "IEND", {});
  return out;
}

}  // namespace posthorn::api
