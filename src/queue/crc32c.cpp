#include "queue/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace posthorn::queue {

namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, bits reversed

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// tables[k][b]: the effect of byte b followed by k zero bytes, for eight bytes at a time. Plain
/// code, because opening a ring is bound by the disk on every board and this does 1 GB/s.
consteval Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

static_assert(std::endian::native == std::endian::little);
constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::uint32_t seed, ByteView data) {
  std::uint32_t crc = ~seed;
  while (data.size() >= 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, data.data(), 8);
    eight ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(eight >> (8 * k)) & 0xff];
    data = data.subspan(8);
  }
  for (const std::byte b : data) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(b)) & 0xff];
  }
  return ~crc;
}

}  // namespace posthorn::queue
