#pragma once

#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/result.h"

/// The computations of linking with a passkey. Pure. Source: protocol chapter 14 sections 2.3 to
/// 2.6.
namespace posthorn::session::passkey {

/// What the box sends first: who it is for this linking, and a promise of its nonce.
struct Prologue {
  Bytes identity;  ///< CompanionEphemeralIdentity as it was hashed
  Bytes payload;   ///< ProloguePayload
};
/// ref: of the server, text as it came. nonce: 32 bytes.
[[nodiscard]] Prologue build_prologue(const crypto::Key32& ephemeral_public, const std::string& ref,
                                      ByteView nonce);

/// That this box is the one whose secret the phone knows already. adv_secret: of before.
[[nodiscard]] Bytes handoff_key(ByteView adv_secret);
[[nodiscard]] Bytes handoff_proof(ByteView handoff_key, ByteView prologue_payload);

/// What the phone answers with.
struct PrimaryIdentity {
  crypto::Key32 public_key{};
  crypto::Key32 nonce{};
};
/// Errors: malformed (not two values of 32 bytes each).
[[nodiscard]] Result<PrimaryIdentity> decode_primary_identity(ByteView bytes);

/// Eight characters that phone and box show alike when nobody stands between them.
[[nodiscard]] std::string compare_code(ByteView companion_nonce, const PrimaryIdentity& primary);

/// Errors: crypto (an all-zero shared secret).
[[nodiscard]] Result<Bytes> request_key(const crypto::Key32& ephemeral_private,
                                        const PrimaryIdentity& primary, const std::string& ref);

struct Request {
  crypto::Key32 noise_public;
  crypto::Key32 identity_public;
  Bytes adv_secret;  ///< the new one, 32 bytes
};
/// EncryptedPairingRequest. iv: 12 bytes.
[[nodiscard]] Bytes seal_request(ByteView key, ByteView iv, const Request& request);

}  // namespace posthorn::session::passkey
