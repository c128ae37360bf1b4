#pragma once

#include <mbedtls/platform_util.h>

#include <span>

namespace posthorn::wire {

/// Overwrites key material; the compiler cannot drop it.
inline void wipe(std::span<std::byte> secret) {
  mbedtls_platform_zeroize(secret.data(), secret.size());
}

}  // namespace posthorn::wire
