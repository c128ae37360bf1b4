#include "posthorn/wire/frames.h"

#include <cassert>

namespace posthorn::wire {

namespace {

/// A larger buffer is given back once it is empty: one big frame must not cost memory for days.
constexpr std::size_t kKeptBytes = std::size_t{64} << 10;

std::size_t read_length(const std::byte* header) {
  return std::to_integer<std::size_t>(header[0]) << 16 |
         std::to_integer<std::size_t>(header[1]) << 8 | std::to_integer<std::size_t>(header[2]);
}

}  // namespace

void write_frame_header(std::byte* out, std::size_t payload_bytes) {
  assert(payload_bytes > 0 && payload_bytes <= kMaxFrameBytes);
  out[0] = static_cast<std::byte>(payload_bytes >> 16);
  out[1] = static_cast<std::byte>(payload_bytes >> 8);
  out[2] = static_cast<std::byte>(payload_bytes);
}

Result<void> append_frame(Bytes& out, ByteView payload) {
  if (payload.empty()) return fail(Errc::malformed, "frame: empty");
  if (payload.size() > kMaxFrameBytes) return fail(Errc::malformed, "frame: over 16 MiB");
  const std::size_t at = out.size();
  out.resize(at + kFrameHeaderBytes);
  write_frame_header(out.data() + at, payload.size());
  append(out, payload);
  return {};
}

FrameDecoder::FrameDecoder(std::size_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

void FrameDecoder::feed(ByteView piece) {
  if (taken_ == buffer_.size() && buffer_.capacity() > kKeptBytes) buffer_ = Bytes();
  if (buffer_.empty()) taken_ = 0;
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
  append(buffer_, piece);
}

Result<std::optional<std::span<std::byte>>> FrameDecoder::next() {
  while (buffered() >= kFrameHeaderBytes) {
    const std::size_t length = read_length(buffer_.data() + taken_);
    if (length > max_frame_bytes_) {
      return fail(Errc::malformed, "frame: " + std::to_string(length) + " bytes are too many");
    }
    if (buffered() < kFrameHeaderBytes + length) break;
    const std::span<std::byte> payload(buffer_.data() + taken_ + kFrameHeaderBytes, length);
    taken_ += kFrameHeaderBytes + length;
    if (length != 0) return std::optional(payload);
  }
  return std::optional<std::span<std::byte>>();
}

}  // namespace posthorn::wire
