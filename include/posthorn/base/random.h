#pragma once

#include <cstdint>
#include <span>

#include "posthorn/base/bytes.h"

namespace posthorn {

/// Chance, from outside: mbedTLS's CTR-DRBG in the box, a seeded generator in tests.
class Random {
 public:
  virtual ~Random() = default;

  virtual void fill(std::span<std::byte> out) = 0;

  [[nodiscard]] Bytes bytes(std::size_t count);
  [[nodiscard]] std::uint64_t next_u64();
  /// Even over low..high, both included; low <= high.
  [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high);
};

}  // namespace posthorn
