#pragma once

#include <array>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

/// Curve25519 as Signal uses it: key pairs, agreement, XEdDSA signatures. Also for Noise
/// certificates and ADV identities. Keys are raw 32 bytes everywhere in Posthorn; the type byte 05
/// is added and removed inside this module.
namespace posthorn::signal {

using PublicKey = crypto::Key32;
using PrivateKey = crypto::Key32;
using Signature = std::array<std::byte, 64>;

struct KeyPair {
  PublicKey public_key{};
  PrivateKey private_key{};

  bool operator==(const KeyPair&) const = default;
};

[[nodiscard]] KeyPair make_key_pair(Random& random);
/// The pair of a private key made elsewhere; the key is clamped.
[[nodiscard]] KeyPair key_pair_of(const PrivateKey& private_key);

/// X25519. Errors: crypto (a public key of small order).
[[nodiscard]] Result<crypto::Key32> agree(const PrivateKey& ours, const PublicKey& theirs);

/// XEdDSA over `message`; 64 bytes of randomness are drawn, or given (the same give the same
/// signature).
[[nodiscard]] Signature sign(const PrivateKey& key, ByteView message, Random& random);
[[nodiscard]] Signature sign_with(const PrivateKey& key, ByteView message,
                                  std::span<const std::byte, 64> random64);
/// False for a wrong signature, a signature that is not 64 bytes, or an unusable key.
[[nodiscard]] bool verify(const PublicKey& key, ByteView message, ByteView signature);

/// A public key as peers send it: 32 bytes, or 33 with 05 in front. Errors: malformed.
[[nodiscard]] Result<PublicKey> parse_public_key(ByteView bytes);
/// 05 and the key: the form that signatures of signed prekeys cover.
[[nodiscard]] std::array<std::byte, 33> with_type_byte(const PublicKey& key);

}  // namespace posthorn::signal
