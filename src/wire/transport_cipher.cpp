#include <mbedtls/gcm.h>

#include <cassert>
#include <cstdlib>
#include <limits>

#include "posthorn/wire/noise.h"

namespace posthorn::wire {

namespace {

/// Chapter 01 section 6: reconnect before the 32-bit counter wraps.
constexpr std::uint64_t kLastCounter = std::numeric_limits<std::uint32_t>::max() - 1;

unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

std::array<unsigned char, 12> nonce_of(std::uint64_t counter) {
  std::array<unsigned char, 12> out{};
  for (std::size_t i = 0; i < 4; ++i) out[11 - i] = static_cast<unsigned char>(counter >> (8 * i));
  return out;
}

}  // namespace

/// The keyed context: setting the key costs more than a short frame, so it is done once.
struct TransportCipher::Gcm {
  explicit Gcm(const Key32& key) {
    mbedtls_gcm_init(&context);
    const int status = mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES,
                                          reinterpret_cast<const unsigned char*>(key.data()), 256);
    if (status != 0) std::abort();  // only when memory is gone
  }
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;
  ~Gcm() { mbedtls_gcm_free(&context); }

  mbedtls_gcm_context context{};
};

TransportCipher::TransportCipher(const Key32& key) : gcm_(std::make_unique<Gcm>(key)) {}
TransportCipher::TransportCipher(TransportCipher&&) noexcept = default;
TransportCipher& TransportCipher::operator=(TransportCipher&&) noexcept = default;
TransportCipher::~TransportCipher() = default;

Result<void> TransportCipher::seal(Bytes& buffer, std::size_t from) {
  assert(from <= buffer.size());
  if (counter_ > kLastCounter) return fail(Errc::disconnected, "transport: counter used up");
  const std::size_t length = buffer.size() - from;
  buffer.resize(buffer.size() + kTagBytes);
  unsigned char* const text = raw(buffer.data() + from);
  const auto nonce = nonce_of(counter_);
  const int status =
      mbedtls_gcm_crypt_and_tag(&gcm_->context, MBEDTLS_GCM_ENCRYPT, length, nonce.data(),
                                nonce.size(), nullptr, 0, text, text, kTagBytes, text + length);
  if (status != 0) std::abort();  // only on wrong arguments
  ++counter_;
  return {};
}

Result<ByteView> TransportCipher::open(std::span<std::byte> sealed) {
  if (counter_ > kLastCounter) return fail(Errc::disconnected, "transport: counter used up");
  if (sealed.size() < kTagBytes) return fail(Errc::malformed, "transport: frame without a tag");
  const std::size_t length = sealed.size() - kTagBytes;
  unsigned char* const text = raw(sealed.data());
  const auto nonce = nonce_of(counter_);
  const int status = mbedtls_gcm_auth_decrypt(&gcm_->context, length, nonce.data(), nonce.size(),
                                              nullptr, 0, text + length, kTagBytes, text, text);
  if (status != 0) return fail(Errc::malformed, "transport: wrong tag");
  ++counter_;
  return ByteView(sealed.first(length));
}

}  // namespace posthorn::wire
