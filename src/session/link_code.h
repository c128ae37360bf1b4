#pragma once

#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

/// The computations of linking by a code typed on the phone. Pure, so that the slow one (PBKDF2
/// with 131072 rounds) can run on the Worker. Source: protocol chapter 03 section 4.
namespace posthorn::session::link_code {

inline constexpr std::uint32_t kRounds = 131'072;
inline constexpr std::size_t kWrappedBytes = 80;
inline constexpr std::size_t kBundleBytes = 156;

/// Five random bytes as eight characters of 123456789ABCDEFGHJKLMNPQRSTVWXYZ.
[[nodiscard]] std::string code_from_random(ByteView five);
/// "17JC8J7N" -> "17JC-8J7N"
[[nodiscard]] std::string for_people(const std::string& code);
/// Digits only, at least 7, no leading zero. Errors: malformed, with a sentence that says so.
[[nodiscard]] Result<std::string> check_phone(std::string_view phone);

/// salt, iv, then the ephemeral public key encrypted under the code. salt: 32 bytes; iv: 16. Slow.
[[nodiscard]] Bytes wrap_ephemeral(const std::string& code, ByteView salt32, ByteView iv16,
                                   const crypto::Key32& ephemeral_public);

/// The other direction: the phone's ephemeral public key. Slow. Errors: malformed (not 80 bytes).
/// A wrong code is not noticed here: it gives another key.
[[nodiscard]] Result<crypto::Key32> unwrap_ephemeral(const std::string& code, ByteView wrapped);

struct FinishInput {
  crypto::Key32 ephemeral_private;
  crypto::Key32 identity_private;
  crypto::Key32 identity_public;
  crypto::Key32 primary_ephemeral_public;
  crypto::Key32 primary_identity_public;
  Bytes random;        ///< 32 bytes, part of the new ADV secret
  Bytes bundle_salt;   ///< 32 bytes
  Bytes bundle_nonce;  ///< 12 bytes
};
struct Finish {
  Bytes bundle;      ///< 156 bytes for link_code_pairing_wrapped_key_bundle
  Bytes adv_secret;  ///< 32 bytes; keep it before the bundle leaves
};
/// Errors: crypto (an all-zero shared secret).
[[nodiscard]] Result<Finish> finish(const FinishInput& input);

}  // namespace posthorn::session::link_code
