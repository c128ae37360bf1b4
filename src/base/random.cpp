#include "posthorn/base/random.h"

#include <cassert>
#include <cstring>
#include <limits>

namespace posthorn {

Bytes Random::bytes(std::size_t count) {
  Bytes out(count);
  fill(out);
  return out;
}

std::uint64_t Random::next_u64() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

std::uint64_t Random::between(std::uint64_t low, std::uint64_t high) {
  assert(low <= high);
  const std::uint64_t range = high - low;
  if (range == std::numeric_limits<std::uint64_t>::max()) return next_u64();
  const std::uint64_t count = range + 1;
  // Values past the last whole multiple would make small results likelier: draw again.
  const std::uint64_t limit =
      std::numeric_limits<std::uint64_t>::max() - std::numeric_limits<std::uint64_t>::max() % count;
  std::uint64_t value = next_u64();
  while (value >= limit) value = next_u64();
  return low + value % count;
}

}  // namespace posthorn
