#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace posthorn::api {

/// Bytes of a file, the last one included.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  bool operator==(const ByteRange&) const = default;
};

enum class RangeKind : std::uint8_t {
  whole,  ///< none, or one that we need not understand (RFC 9110 section 14.2)
  part,
  unsatisfiable,
};
struct RangeAnswer {
  RangeKind kind = RangeKind::whole;
  ByteRange range;
};

/// "bytes=0-99", "bytes=100-", "bytes=-50"; several at once are answered with the whole.
[[nodiscard]] RangeAnswer parse_range(std::string_view header, std::uint64_t size);

}  // namespace posthorn::api
