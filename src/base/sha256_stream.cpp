#include "posthorn/base/sha256_stream.h"

#include <nettle/sha2.h>

// Nettle is what GnuTLS brings along, and several times as fast here as mbedTLS, which has no use
// for a processor's own instructions: it is what a large file's way to the disk waited for.
namespace posthorn::crypto {

struct Sha256Stream::Context {
  sha256_ctx sha{};
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
  sha256_init(&context_->sha);
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::add(ByteView piece) {
  sha256_update(&context_->sha, piece.size(), reinterpret_cast<const std::uint8_t*>(piece.data()));
}

Sha256 Sha256Stream::finish() {
  Sha256 out{};
  sha256_digest(&context_->sha, out.size(), reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

}  // namespace posthorn::crypto
