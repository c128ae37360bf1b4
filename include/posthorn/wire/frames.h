#pragma once

#include <cstddef>
#include <optional>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

/// Frames: a 3-byte big-endian length, then that many bytes. Protocol chapter 01 section 2.
namespace posthorn::wire {

inline constexpr std::size_t kFrameHeaderBytes = 3;
inline constexpr std::size_t kMaxFrameBytes = (std::size_t{1} << 24) - 1;

/// Appends length and payload. Errors: malformed (empty, or over kMaxFrameBytes).
[[nodiscard]] Result<void> append_frame(Bytes& out, ByteView payload);
/// Writes the length of a payload of 1 .. kMaxFrameBytes bytes into the 3 bytes at `out`.
void write_frame_header(std::byte* out, std::size_t payload_bytes);

/// Cuts a byte stream into frames, whatever pieces it comes in. Frames of length zero, which no
/// peer sends, are dropped.
class FrameDecoder {
 public:
  /// max_frame_bytes: longer frames are an error as soon as their length is known.
  explicit FrameDecoder(std::size_t max_frame_bytes = kMaxFrameBytes);

  /// Takes the next piece. Take all frames with next() before feeding more.
  void feed(ByteView piece);
  /// The next whole frame's payload; nullopt: not all there yet. The view is valid until the next
  /// feed(), and its bytes may be changed in place (decryption does).
  /// Errors: malformed (frame over the limit); nothing more comes after that.
  [[nodiscard]] Result<std::optional<std::span<std::byte>>> next();
  /// Bytes fed and not yet given out.
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - taken_; }

 private:
  std::size_t max_frame_bytes_;
  Bytes buffer_;
  std::size_t taken_ = 0;
};

}  // namespace posthorn::wire
