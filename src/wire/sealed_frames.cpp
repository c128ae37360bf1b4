#include "wire/sealed_frames.h"

#include "posthorn/wire/frames.h"

namespace posthorn::wire {

namespace {

constexpr std::size_t kKeptBytes = std::size_t{64} << 10;

}  // namespace

SealedFrames::SealedFrames(const Key32& outgoing, const Key32& incoming)
    : outgoing_(outgoing), incoming_(incoming) {}

Result<ByteView> SealedFrames::seal(const Node& node, Compression compression) {
  if (compression != Compression::none) {
    TRY(const Bytes plaintext, encode_frame(node, compression));
    return seal(plaintext);
  }
  if (frame_.capacity() > kKeptBytes) frame_ = Bytes();
  frame_.assign(kFrameHeaderBytes + 1, std::byte{0});  // length, then the flag byte
  TRY(encode_node(node, frame_));
  return seal_frame();
}

Result<ByteView> SealedFrames::seal(ByteView plaintext) {
  if (frame_.capacity() > kKeptBytes) frame_ = Bytes();
  frame_.assign(kFrameHeaderBytes, std::byte{0});
  append(frame_, plaintext);
  return seal_frame();
}

Result<ByteView> SealedFrames::seal_frame() {
  const std::size_t payload = frame_.size() - kFrameHeaderBytes + TransportCipher::kTagBytes;
  if (payload > kMaxFrameBytes) return fail(Errc::malformed, "frame: over 16 MiB");
  TRY(outgoing_.seal(frame_, kFrameHeaderBytes));
  write_frame_header(frame_.data(), payload);
  return ByteView(frame_);
}

Result<ByteView> SealedFrames::open(std::span<std::byte> frame) { return incoming_.open(frame); }

}  // namespace posthorn::wire
