#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

/// The certificate chain with which the server proves its Noise key. Protocol chapter 01 section 4.
namespace posthorn::wire {

using Key32 = crypto::Key32;

struct KeyPair {
  Key32 private_key{};
  Key32 public_key{};

  bool operator==(const KeyPair&) const = default;
};
/// A clamped X25519 pair.
[[nodiscard]] KeyPair make_key_pair(Random& random);
[[nodiscard]] KeyPair key_pair_from_private(const Key32& private_key);

/// XEdDSA comes from outside, because libsignal's curve code lives in the signal module and wire
/// depends on base alone: whoever builds a channel passes signal's functions.
/// True when `signature` (any length) is the key owner's signature over `message`.
using VerifySignature =
    std::function<bool(const Key32& public_key, ByteView message, ByteView signature)>;
/// 64 bytes.
using SignMessage = std::function<Bytes(const Key32& private_key, ByteView message)>;

/// WhatsApp's own root ("WhatsAppLongTerm1"), serial 0.
extern const Key32 kWhatsAppRootKey;
inline constexpr std::uint32_t kRootSerial = 0;

/// What a chain that passed says about the server.
struct ServerCertificate {
  Key32 leaf_key{};             ///< the server's Noise static key: keep it for resumption
  std::int64_t not_before = 0;  ///< unix seconds, the narrower of leaf and intermediate
  std::int64_t not_after = 0;
  bool window_checked = false;  ///< false: our clock was not trusted; see check_window
};

/// All checks of section 4.3: shape, both signatures, both issuer serials, leaf key equals
/// server_static; the validity window only when now.trusted.
/// Errors: crypto, "certificate: …" — possibly someone in between; an operator should hear of it.
[[nodiscard]] Result<ServerCertificate> verify_certificate_chain(ByteView chain, const Key32& root,
                                                                 const Key32& server_static,
                                                                 Wall now,
                                                                 const VerifySignature& verify);
/// The window alone, for when the clock becomes trusted later. Errors: crypto.
[[nodiscard]] Result<void> check_window(const ServerCertificate& certificate, Wall now);

/// What the simulator puts wrong on purpose.
enum class ChainFlaw : std::uint8_t {
  none,
  expired,
  not_yet_valid,
  without_window,  ///< notBefore and notAfter absent
  other_leaf_key,
  leaf_signature,
  intermediate_signature,
  leaf_issuer,
  intermediate_issuer,
  no_leaf,
  no_intermediate,
  short_signature,
  short_key,
};
/// Every flaw but none, for tests that walk them.
extern const std::array<ChainFlaw, 12> kAllChainFlaws;
[[nodiscard]] std::string_view to_string(ChainFlaw flaw);

struct ChainRecipe {
  KeyPair root;
  KeyPair intermediate;
  Key32 server_static{};        ///< the leaf's key
  std::int64_t not_before = 0;  ///< unix seconds
  std::int64_t not_after = 0;
  ChainFlaw flaw = ChainFlaw::none;
};
/// Serialised CertChain with serials 0 (root), 1, 2.
[[nodiscard]] Bytes build_certificate_chain(const ChainRecipe& recipe, const SignMessage& sign);

}  // namespace posthorn::wire
