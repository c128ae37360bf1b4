#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"

namespace posthorn::fuzz {

/// What must hold for every input; aborts so that the fuzzer keeps the input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// For toml++ 3.3, which comes to what it calls unreachable with letters outside ASCII behind a
/// key: as GCC compiles that, the mistake in the file is told; clang's sanitizer ends there.
inline std::string only_ascii(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return out;
}

/// Fuzzer input read from the front: choices first, then the bytes under test.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : left_(reinterpret_cast<const std::byte*>(data), size) {}

  /// 0 when nothing is left.
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(left_.front());
    left_ = left_.subspan(1);
    return value;
  }
  /// At most `count` bytes.
  ByteView take(std::size_t count) {
    const ByteView out = left_.first(count < left_.size() ? count : left_.size());
    left_ = left_.subspan(out.size());
    return out;
  }
  [[nodiscard]] ByteView rest() const { return left_; }
  [[nodiscard]] bool empty() const { return left_.empty(); }

 private:
  ByteView left_;
};

}  // namespace posthorn::fuzz
