#pragma once

#include <span>

#include "posthorn/wire/node_codec.h"
#include "posthorn/wire/noise.h"

namespace posthorn::wire {

/// The transport phase of one connection: nodes to whole encrypted frames, and frames back to
/// plaintext.
class SealedFrames {
 public:
  SealedFrames(const Key32& outgoing, const Key32& incoming);

  /// A frame with its length, to be sent before the next call; the view ends there.
  /// Errors: malformed (not encodable, over a frame), disconnected (counter used up). The counter
  /// moves only on success.
  [[nodiscard]] Result<ByteView> seal(const Node& node, Compression compression);
  /// The same for any plaintext.
  [[nodiscard]] Result<ByteView> seal(ByteView plaintext);
  /// frame: without its length; decrypted in place. Errors: as TransportCipher::open.
  [[nodiscard]] Result<ByteView> open(std::span<std::byte> frame);

 private:
  Result<ByteView> seal_frame();

  TransportCipher outgoing_;
  TransportCipher incoming_;
  Bytes frame_;  // kept between calls, so that a stanza costs no allocation here
};

}  // namespace posthorn::wire
