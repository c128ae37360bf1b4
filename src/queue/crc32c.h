#pragma once

#include <cstdint>

#include "posthorn/base/bytes.h"

namespace posthorn::queue {

/// CRC-32C (Castagnoli, reflected, as in RFC 3720), continued from `seed`: crc32c(crc32c(0, a), b)
/// is the CRC of a followed by b.
[[nodiscard]] std::uint32_t crc32c(std::uint32_t seed, ByteView data);

}  // namespace posthorn::queue
