#include "posthorn/base/crypto.h"

#include <mbedtls/cipher.h>
#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>
#include <mbedtls/md5.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <nettle/curve25519.h>

#include <algorithm>
#include <cassert>

namespace posthorn::crypto {

namespace {

const unsigned char* raw(ByteView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}
template <class Container>
unsigned char* raw_out(Container& out) {
  return reinterpret_cast<unsigned char*>(out.data());
}

/// mbedTLS fails these only on wrong arguments or lack of memory: our bug, not input.
void must(int status) {
  assert(status == 0);
  if (status != 0) std::abort();
}

const mbedtls_md_info_t* sha256_info() { return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256); }

Result<Bytes> aes(mbedtls_cipher_type_t type, mbedtls_operation_t operation, ByteView key,
                  ByteView iv, ByteView input) {
  assert(key.size() == 32 && iv.size() == 16);
  mbedtls_cipher_context_t context;
  mbedtls_cipher_init(&context);
  must(mbedtls_cipher_setup(&context, mbedtls_cipher_info_from_type(type)));
  must(mbedtls_cipher_setkey(&context, raw(key), 256, operation));
  Bytes out(input.size() + 16);
  std::size_t written = 0;
  const int status = mbedtls_cipher_crypt(&context, raw(iv), iv.size(), raw(input), input.size(),
                                          raw_out(out), &written);
  mbedtls_cipher_free(&context);
  if (status != 0) return fail(Errc::crypto, "AES: wrong length or padding");
  out.resize(written);
  return out;
}

}  // namespace

Md5 md5(ByteView data) {
  Md5 out;
  must(mbedtls_md5_ret(raw(data), data.size(), raw_out(out)));
  return out;
}

Sha1 sha1(ByteView data) {
  Sha1 out;
  must(mbedtls_sha1_ret(raw(data), data.size(), raw_out(out)));
  return out;
}

Sha256 sha256(ByteView data) {
  Sha256 out;
  must(mbedtls_sha256_ret(raw(data), data.size(), raw_out(out), 0));
  return out;
}

Sha256 hmac_sha256(ByteView key, ByteView data) {
  Sha256 out;
  must(mbedtls_md_hmac(sha256_info(), raw(key), key.size(), raw(data), data.size(), raw_out(out)));
  return out;
}

Bytes hkdf_sha256(ByteView secret, ByteView salt, ByteView info, std::size_t length) {
  Bytes out(length);
  must(mbedtls_hkdf(sha256_info(), raw(salt), salt.size(), raw(secret), secret.size(), raw(info),
                    info.size(), raw_out(out), out.size()));
  return out;
}

Bytes pbkdf2_sha256(ByteView password, ByteView salt, std::uint32_t rounds, std::size_t length) {
  Bytes out(length);
  mbedtls_md_context_t context;
  mbedtls_md_init(&context);
  must(mbedtls_md_setup(&context, sha256_info(), 1));
  must(mbedtls_pkcs5_pbkdf2_hmac(&context, raw(password), password.size(), raw(salt), salt.size(),
                                 rounds, static_cast<std::uint32_t>(length), raw_out(out)));
  mbedtls_md_free(&context);
  return out;
}

Bytes aes_gcm_encrypt(ByteView key, ByteView nonce, ByteView aad, ByteView plain) {
  assert(key.size() == 32 && nonce.size() == 12);
  mbedtls_gcm_context context;
  mbedtls_gcm_init(&context);
  must(mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, raw(key), 256));
  Bytes out(plain.size() + 16);
  must(mbedtls_gcm_crypt_and_tag(&context, MBEDTLS_GCM_ENCRYPT, plain.size(), raw(nonce),
                                 nonce.size(), raw(aad), aad.size(), raw(plain), raw_out(out), 16,
                                 raw_out(out) + plain.size()));
  mbedtls_gcm_free(&context);
  return out;
}

Result<Bytes> aes_gcm_decrypt(ByteView key, ByteView nonce, ByteView aad, ByteView sealed) {
  assert(key.size() == 32 && nonce.size() == 12);
  if (sealed.size() < 16) return fail(Errc::crypto, "AES-GCM: shorter than its tag");
  const std::size_t length = sealed.size() - 16;
  mbedtls_gcm_context context;
  mbedtls_gcm_init(&context);
  must(mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, raw(key), 256));
  Bytes out(length);
  const int status =
      mbedtls_gcm_auth_decrypt(&context, length, raw(nonce), nonce.size(), raw(aad), aad.size(),
                               raw(sealed) + length, 16, raw(sealed), raw_out(out));
  mbedtls_gcm_free(&context);
  if (status != 0) return fail(Errc::crypto, "AES-GCM: wrong tag");
  return out;
}

Bytes aes_cbc_encrypt(ByteView key, ByteView iv, ByteView plain) {
  return *aes(MBEDTLS_CIPHER_AES_256_CBC, MBEDTLS_ENCRYPT, key, iv, plain);
}

Result<Bytes> aes_cbc_decrypt(ByteView key, ByteView iv, ByteView sealed) {
  if (sealed.empty() || sealed.size() % 16 != 0) return fail(Errc::crypto, "AES-CBC: wrong length");
  return aes(MBEDTLS_CIPHER_AES_256_CBC, MBEDTLS_DECRYPT, key, iv, sealed);
}

Bytes aes_ctr(ByteView key, ByteView iv, ByteView data) {
  return *aes(MBEDTLS_CIPHER_AES_256_CTR, MBEDTLS_ENCRYPT, key, iv, data);
}

/// Nettle's: mbedTLS takes eleven times as long, and a login needs three or four of them.
Result<Key32> x25519(ByteView private_key, ByteView public_key) {
  assert(private_key.size() == 32);
  if (public_key.size() != 32) return fail(Errc::crypto, "X25519: public key is not 32 bytes");
  Key32 out;
  curve25519_mul(raw_out(out), raw(private_key), raw(public_key));
  if (std::all_of(out.begin(), out.end(), [](std::byte b) { return b == std::byte{}; })) {
    return fail(Errc::crypto, "X25519: public key of small order");
  }
  return out;
}

Key32 x25519_public(ByteView private_key) {
  assert(private_key.size() == 32);
  Key32 out;
  curve25519_mul_g(raw_out(out), raw(private_key));
  return out;
}

}  // namespace posthorn::crypto
