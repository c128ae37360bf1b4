#include "signal/crypto_provider.h"

#include <mbedtls/aes.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include <array>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

#include "posthorn/base/log.h"

namespace posthorn::signal {

namespace {

constexpr std::size_t kAesBlock = 16;

int random_func(std::uint8_t* data, std::size_t length, void* random) {
  static_cast<Random*>(random)->fill({reinterpret_cast<std::byte*>(data), length});
  return 0;
}

/// HMAC over two running digests: a message takes seven HMACs, and mbedtls_md allocates three
/// times for each.
struct Hmac {
  mbedtls_sha256_context inner;
  mbedtls_sha256_context outer;
};

int hmac_init(void** context, const std::uint8_t* key, std::size_t key_length, void*) {
  std::array<std::uint8_t, 64> block{};
  if (key_length > block.size()) return SG_ERR_INVAL;  // the library's keys have 32 bytes
  auto* hmac = new (std::nothrow) Hmac;
  if (hmac == nullptr) return SG_ERR_NOMEM;
  std::memcpy(block.data(), key, key_length);
  for (auto& byte : block) byte ^= 0x36;
  mbedtls_sha256_init(&hmac->inner);
  mbedtls_sha256_starts_ret(&hmac->inner, 0);
  mbedtls_sha256_update_ret(&hmac->inner, block.data(), block.size());
  for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
  mbedtls_sha256_init(&hmac->outer);
  mbedtls_sha256_starts_ret(&hmac->outer, 0);
  mbedtls_sha256_update_ret(&hmac->outer, block.data(), block.size());
  mbedtls_platform_zeroize(block.data(), block.size());
  *context = hmac;
  return 0;
}

int hmac_update(void* context, const std::uint8_t* data, std::size_t length, void*) {
  return mbedtls_sha256_update_ret(&static_cast<Hmac*>(context)->inner, data, length);
}

int hmac_final(void* context, signal_buffer** output, void*) {
  auto* hmac = static_cast<Hmac*>(context);
  std::array<std::uint8_t, 32> digest;
  mbedtls_sha256_finish_ret(&hmac->inner, digest.data());
  mbedtls_sha256_update_ret(&hmac->outer, digest.data(), digest.size());
  mbedtls_sha256_finish_ret(&hmac->outer, digest.data());
  *output = signal_buffer_create(digest.data(), digest.size());
  mbedtls_platform_zeroize(digest.data(), digest.size());
  return *output == nullptr ? SG_ERR_NOMEM : 0;
}

void hmac_cleanup(void* context, void*) {
  auto* hmac = static_cast<Hmac*>(context);
  mbedtls_sha256_free(&hmac->inner);  // zeroizes
  mbedtls_sha256_free(&hmac->outer);
  delete hmac;
}

int sha512_init(void** context, void*) {
  auto* digest = new (std::nothrow) mbedtls_sha512_context;
  if (digest == nullptr) return SG_ERR_NOMEM;
  mbedtls_sha512_init(digest);
  mbedtls_sha512_starts_ret(digest, 0);
  *context = digest;
  return 0;
}

int sha512_update(void* context, const std::uint8_t* data, std::size_t length, void*) {
  return mbedtls_sha512_update_ret(static_cast<mbedtls_sha512_context*>(context), data, length);
}

int sha512_final(void* context, signal_buffer** output, void*) {
  auto* digest = static_cast<mbedtls_sha512_context*>(context);
  std::array<std::uint8_t, 64> out;
  mbedtls_sha512_finish_ret(digest, out.data());
  mbedtls_sha512_starts_ret(digest, 0);  // the library goes on using it
  *output = signal_buffer_create(out.data(), out.size());
  return *output == nullptr ? SG_ERR_NOMEM : 0;
}

void sha512_cleanup(void* context, void*) {
  auto* digest = static_cast<mbedtls_sha512_context*>(context);
  mbedtls_sha512_free(digest);
  delete digest;
}

/// Version 3 messages use AES-256-CBC with PKCS#7 only; CTR belongs to version 2.
bool supported(int cipher, std::size_t key_length, std::size_t iv_length) {
  return cipher == SG_CIPHER_AES_CBC_PKCS5 && key_length == 32 && iv_length == kAesBlock;
}

int encrypt_func(signal_buffer** output, int cipher, const std::uint8_t* key,
                 std::size_t key_length, const std::uint8_t* iv, std::size_t iv_length,
                 const std::uint8_t* plain, std::size_t length, void*) {
  if (!supported(cipher, key_length, iv_length)) return SG_ERR_INVAL;
  const std::size_t padding = kAesBlock - length % kAesBlock;
  signal_buffer* sealed = signal_buffer_alloc(length + padding);
  if (sealed == nullptr) return SG_ERR_NOMEM;
  std::uint8_t* data = signal_buffer_data(sealed);
  std::memcpy(data, plain, length);
  std::memset(data + length, static_cast<int>(padding), padding);

  std::array<std::uint8_t, kAesBlock> vector;
  std::memcpy(vector.data(), iv, vector.size());
  mbedtls_aes_context aes;
  mbedtls_aes_init(&aes);
  int status = mbedtls_aes_setkey_enc(&aes, key, 256);
  if (status == 0) {
    status = mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_ENCRYPT, length + padding, vector.data(), data,
                                   data);
  }
  mbedtls_aes_free(&aes);
  if (status != 0) {
    signal_buffer_bzero_free(sealed);
    return SG_ERR_UNKNOWN;
  }
  *output = sealed;
  return 0;
}

/// Bytes of valid PKCS#7 padding at the end; 0: none.
std::size_t padding_of(const std::uint8_t* data, std::size_t length) {
  const std::size_t count = data[length - 1];
  if (count == 0 || count > kAesBlock) return 0;
  for (std::size_t i = length - count; i < length; ++i) {
    if (data[i] != count) return 0;
  }
  return count;
}

int decrypt_func(signal_buffer** output, int cipher, const std::uint8_t* key,
                 std::size_t key_length, const std::uint8_t* iv, std::size_t iv_length,
                 const std::uint8_t* sealed, std::size_t length, void*) {
  if (!supported(cipher, key_length, iv_length)) return SG_ERR_INVAL;
  if (length == 0 || length % kAesBlock != 0) return SG_ERR_INVALID_MESSAGE;
  Buffer plain(signal_buffer_alloc(length));
  if (!plain) return SG_ERR_NOMEM;
  std::uint8_t* data = signal_buffer_data(plain.get());

  std::array<std::uint8_t, kAesBlock> vector;
  std::memcpy(vector.data(), iv, vector.size());
  mbedtls_aes_context aes;
  mbedtls_aes_init(&aes);
  int status = mbedtls_aes_setkey_dec(&aes, key, 256);
  if (status == 0) {
    status = mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_DECRYPT, length, vector.data(), sealed, data);
  }
  mbedtls_aes_free(&aes);
  if (status != 0) return SG_ERR_UNKNOWN;
  const std::size_t padding = padding_of(data, length);
  if (padding == 0) return SG_ERR_INVALID_MESSAGE;
  *output = signal_buffer_create(data, length - padding);
  return *output == nullptr ? SG_ERR_NOMEM : 0;
}

void log_func(int level, const char* message, std::size_t length, void*) {
  if (level > SG_LOG_WARNING) return;
  // What the library warns about is the other side's doing and comes back as an error.
  log::debug("signal", "libsignal", {{"says", std::string_view(message, length)}});
}

/// The library fails here only for lack of memory.
void must(int status) {
  assert(status == 0);
  if (status != 0) std::abort();
}

}  // namespace

Context::Context(Random& random) {
  must(signal_context_create(&context_, nullptr));
  const signal_crypto_provider provider{
      .random_func = random_func,
      .hmac_sha256_init_func = hmac_init,
      .hmac_sha256_update_func = hmac_update,
      .hmac_sha256_final_func = hmac_final,
      .hmac_sha256_cleanup_func = hmac_cleanup,
      .sha512_digest_init_func = sha512_init,
      .sha512_digest_update_func = sha512_update,
      .sha512_digest_final_func = sha512_final,
      .sha512_digest_cleanup_func = sha512_cleanup,
      .encrypt_func = encrypt_func,
      .decrypt_func = decrypt_func,
      .user_data = &random,
  };
  must(signal_context_set_crypto_provider(context_, &provider));
  must(signal_context_set_log_function(context_, log_func));
}

Context::~Context() { signal_context_destroy(context_); }

}  // namespace posthorn::signal
