#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <type_traits>

#include "posthorn/base/bytes.h"
#include "posthorn/base/time.h"

namespace posthorn::throttle {

/// Little-endian bytes of numbers, enums, bools and short strings. One `fields(archive)` per struct
/// serves both directions, so that they cannot differ.
class Encoder {
 public:
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void operator()(const T& value) {
    const auto bits = static_cast<std::uint64_t>(value);
    std::array<std::byte, sizeof(T)> raw;
    for (std::size_t i = 0; i < sizeof(T); ++i) raw[i] = static_cast<std::byte>(bits >> (8 * i));
    if (fill_ + raw.size() > chunk_.size()) flush();
    std::copy(raw.begin(), raw.end(), chunk_.begin() + static_cast<std::ptrdiff_t>(fill_));
    fill_ += raw.size();
  }
  void operator()(const std::string& text) {
    const auto length = static_cast<std::uint16_t>(std::min<std::size_t>(text.size(), 0xffff));
    (*this)(length);
    flush();
    append(out_, as_bytes(std::string_view(text).substr(0, length)));
  }

  [[nodiscard]] Bytes take() {
    flush();
    return std::move(out_);
  }

 private:
  void flush() {
    append(out_, ByteView(chunk_).first(fill_));
    fill_ = 0;
  }
  Bytes out_;
  /// The state is thousands of small numbers, written with every charge: one append for many.
  std::array<std::byte, 512> chunk_;
  std::size_t fill_ = 0;
};

/// Reads what Encoder wrote. Past the end everything is zero and ok() is false.
class Decoder {
 public:
  explicit Decoder(ByteView in) : in_(in) {}

  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void operator()(T& value) {
    std::uint64_t bits = 0;
    if (in_.size() < sizeof(T)) {
      ok_ = false;
      in_ = {};
    } else {
      for (std::size_t i = 0; i < sizeof(T); ++i)
        bits |= static_cast<std::uint64_t>(in_[i]) << (8 * i);
      in_ = in_.subspan(sizeof(T));
    }
    if constexpr (std::is_same_v<T, bool>) {
      value = bits != 0;
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      // A time that no clock of ours wrote is none: counting with it would never end, or overflow.
      const auto time = static_cast<std::int64_t>(bits);
      value = time < Wall::kYear1 * 1000 || time > Wall::kYear9999 * 1000 ? 0 : time;
    } else {
      value = static_cast<T>(bits);
    }
  }
  void operator()(std::string& text) {
    std::uint16_t length = 0;
    (*this)(length);
    if (length > in_.size()) {
      ok_ = false;
      in_ = {};
      return;
    }
    text = posthorn::to_string(in_.first(length));
    in_ = in_.subspan(length);
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return in_.empty(); }

 private:
  ByteView in_;
  bool ok_ = true;
};

}  // namespace posthorn::throttle
