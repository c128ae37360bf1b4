#pragma once

#include <array>
#include <cstdint>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

/// The primitives that Noise, pairing, media and the throttle share: thin over mbedTLS, so that one
/// place knows its call order. Signal's own live in the signal module.
namespace posthorn::crypto {

using Key32 = std::array<std::byte, 32>;
using Md5 = std::array<std::byte, 16>;
using Sha1 = std::array<std::byte, 20>;
using Sha256 = std::array<std::byte, 32>;

/// Only because WhatsApp's build hash asks for it.
[[nodiscard]] Md5 md5(ByteView data);
[[nodiscard]] Sha1 sha1(ByteView data);
[[nodiscard]] Sha256 sha256(ByteView data);
[[nodiscard]] Sha256 hmac_sha256(ByteView key, ByteView data);
/// RFC 5869, length 1 .. 8160; an empty salt means 32 zero bytes.
[[nodiscard]] Bytes hkdf_sha256(ByteView secret, ByteView salt, ByteView info, std::size_t length);
[[nodiscard]] Bytes pbkdf2_sha256(ByteView password, ByteView salt, std::uint32_t rounds,
                                  std::size_t length);

/// AES-256-GCM, 12-byte nonce; the 16-byte tag stands behind the ciphertext.
[[nodiscard]] Bytes aes_gcm_encrypt(ByteView key32, ByteView nonce12, ByteView aad, ByteView plain);
/// Errors: crypto (tag wrong, shorter than a tag).
[[nodiscard]] Result<Bytes> aes_gcm_decrypt(ByteView key32, ByteView nonce12, ByteView aad,
                                            ByteView sealed);
/// AES-256-CBC with PKCS#7. Errors on decryption: crypto (length, padding).
[[nodiscard]] Bytes aes_cbc_encrypt(ByteView key32, ByteView iv16, ByteView plain);
[[nodiscard]] Result<Bytes> aes_cbc_decrypt(ByteView key32, ByteView iv16, ByteView sealed);
/// AES-256-CTR, its own inverse.
[[nodiscard]] Bytes aes_ctr(ByteView key32, ByteView iv16, ByteView data);

/// X25519 (RFC 7748). Clamps the private key; the all-zero shared secret is an error (crypto).
[[nodiscard]] Result<Key32> x25519(ByteView private_key32, ByteView public_key32);
[[nodiscard]] Key32 x25519_public(ByteView private_key32);

}  // namespace posthorn::crypto
