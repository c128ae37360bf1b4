#include "posthorn/base/media_cipher.h"

#include <mbedtls/cipher.h>
#include <mbedtls/md.h>

#include <cassert>
#include <optional>

#include "posthorn/base/sha256_stream.h"

namespace posthorn::crypto {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kExpanded = 80;  // iv 16, cipher key 32, MAC key 32

const unsigned char* raw(ByteView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

/// As in crypto.cpp: these fail on our bugs and lack of memory only.
void must(int status) {
  assert(status == 0);
  if (status != 0) std::abort();
}

/// The three contexts of one file: cipher, MAC over iv and ciphertext, hash of what lies at the
/// host.
class Contexts {
 public:
  Contexts(ByteView key, std::string_view info, mbedtls_operation_t operation) {
    const Bytes keys = hkdf_sha256(key, {}, as_bytes(info), kExpanded);
    const ByteView view(keys);
    mbedtls_cipher_init(&cipher_);
    mbedtls_md_init(&mac_);
    must(mbedtls_cipher_setup(&cipher_, mbedtls_cipher_info_from_type(MBEDTLS_CIPHER_AES_256_CBC)));
    must(mbedtls_cipher_setkey(&cipher_, raw(view.subspan(16, 32)), 256, operation));
    must(mbedtls_cipher_set_iv(&cipher_, raw(view.first(kBlock)), kBlock));
    must(mbedtls_cipher_reset(&cipher_));
    must(mbedtls_md_setup(&mac_, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1));
    must(mbedtls_md_hmac_starts(&mac_, raw(view.subspan(48, 32)), 32));
    must(mbedtls_md_hmac_update(&mac_, raw(view.first(kBlock)), kBlock));
  }
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;
  ~Contexts() {
    mbedtls_cipher_free(&cipher_);
    mbedtls_md_free(&mac_);
  }

  Bytes turn(ByteView piece) {
    Bytes out(piece.size() + kBlock);
    std::size_t written = 0;
    must(mbedtls_cipher_update(&cipher_, raw(piece), piece.size(),
                               reinterpret_cast<unsigned char*>(out.data()), &written));
    out.resize(written);
    return out;
  }
  /// nullopt: the padding is wrong, or there was no whole block.
  std::optional<Bytes> turn_last() {
    Bytes out(2 * kBlock);
    std::size_t written = 0;
    if (mbedtls_cipher_finish(&cipher_, reinterpret_cast<unsigned char*>(out.data()), &written) !=
        0) {
      return std::nullopt;
    }
    out.resize(written);
    return out;
  }
  void authenticate(ByteView ciphertext) {
    if (!ciphertext.empty()) {
      must(mbedtls_md_hmac_update(&mac_, raw(ciphertext), ciphertext.size()));
    }
  }
  Bytes mac() {
    Bytes out(32);
    must(mbedtls_md_hmac_finish(&mac_, reinterpret_cast<unsigned char*>(out.data())));
    out.resize(kMediaMacBytes);
    return out;
  }

  Sha256Stream sealed;

 private:
  mbedtls_cipher_context_t cipher_{};
  mbedtls_md_context_t mac_{};
};

}  // namespace

struct MediaSealer::State : Contexts {
  State(ByteView key, std::string_view info) : Contexts(key, info, MBEDTLS_ENCRYPT) {}
};

MediaSealer::MediaSealer(ByteView key, std::string_view info)
    : state_(std::make_unique<State>(key, info)) {}

MediaSealer::~MediaSealer() = default;

Bytes MediaSealer::add(ByteView plain) {
  Bytes out = state_->turn(plain);
  state_->authenticate(out);
  state_->sealed.add(out);
  return out;
}

Bytes MediaSealer::finish() {
  Bytes out = state_->turn_last().value_or(Bytes());
  state_->authenticate(out);
  append(out, state_->mac());
  state_->sealed.add(out);
  return out;
}

Sha256 MediaSealer::sealed_hash() { return state_->sealed.finish(); }

struct MediaOpener::State : Contexts {
  State(ByteView key, std::string_view info) : Contexts(key, info, MBEDTLS_DECRYPT) {}
  Bytes tail;  ///< the last bytes so far, which may be the MAC
};

MediaOpener::MediaOpener(ByteView key, std::string_view info)
    : state_(std::make_unique<State>(key, info)) {}

MediaOpener::~MediaOpener() = default;

Bytes MediaOpener::add(ByteView sealed) {
  State& state = *state_;
  state.sealed.add(sealed);
  append(state.tail, sealed);
  if (state.tail.size() <= kMediaMacBytes) return {};
  const std::size_t known = state.tail.size() - kMediaMacBytes;
  const ByteView ciphertext = ByteView(state.tail).first(known);
  state.authenticate(ciphertext);
  Bytes plain = state.turn(ciphertext);
  state.tail.erase(state.tail.begin(), state.tail.begin() + static_cast<std::ptrdiff_t>(known));
  return plain;
}

Result<Bytes> MediaOpener::finish(ByteView sealed_sha256) {
  State& state = *state_;
  const Sha256 hash = state.sealed.finish();
  if (!sealed_sha256.empty() && !equal_constant_time(hash, sealed_sha256)) {
    return fail(Errc::crypto, "other bytes than the message names");
  }
  if (state.tail.size() != kMediaMacBytes || !equal_constant_time(state.tail, state.mac())) {
    return fail(Errc::crypto, "wrong MAC");
  }
  auto last = state.turn_last();
  if (!last) return fail(Errc::crypto, "wrong padding");
  return std::move(*last);
}

}  // namespace posthorn::crypto
