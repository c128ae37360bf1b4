#include "posthorn/base/sha256_stream.h"

#include <mbedtls/sha256.h>

namespace posthorn::crypto {

struct Sha256Stream::Context {
  mbedtls_sha256_context sha{};
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
  mbedtls_sha256_init(&context_->sha);
  mbedtls_sha256_starts_ret(&context_->sha, 0);
}

Sha256Stream::~Sha256Stream() { mbedtls_sha256_free(&context_->sha); }

void Sha256Stream::add(ByteView piece) {
  mbedtls_sha256_update_ret(&context_->sha, reinterpret_cast<const unsigned char*>(piece.data()),
                            piece.size());
}

Sha256 Sha256Stream::finish() {
  Sha256 out{};
  mbedtls_sha256_finish_ret(&context_->sha, reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

}  // namespace posthorn::crypto
