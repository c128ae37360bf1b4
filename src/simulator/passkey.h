#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/simulator/simulator.h"

/// The passkey of an account: as the phone keeps it, as a browser answers with it, and as the
/// server checks the answer. ES256. Source: W3C Web Authentication Level 3, sections 5.8.1, 6.1
/// and 7.2; protocol chapter 14 section 2.2.
namespace posthorn::simulator {

struct PasskeyCredential {
  Bytes id;
  crypto::Key32 secret{};  ///< P-256
  Bytes public_point;      ///< 65 bytes, uncompressed
  Bytes user_handle;
  std::uint32_t count = 0;
};
[[nodiscard]] PasskeyCredential make_passkey(Random& random);
/// PKCS#8, as browsers' virtual authenticators and other programs take it.
[[nodiscard]] Bytes pkcs8_of(const PasskeyCredential& credential);

/// PublicKeyCredentialRequestOptions in JSON, with `challenge`.
[[nodiscard]] std::string request_options(const PasskeyCredential& credential, ByteView challenge);

/// What PublicKeyCredential.toJSON() gives for these options on https://web.whatsapp.com.
/// Errors: malformed (options).
[[nodiscard]] Result<json::Value> sign_assertion(PasskeyCredential& credential,
                                                 const json::Value& options, AssertionFlaw flaw,
                                                 Random& random);

/// What the server refuses. Errors: malformed (a client could have seen it), refused (the signature
/// is not this passkey's).
[[nodiscard]] Result<void> verify_assertion(const PasskeyCredential& credential, ByteView challenge,
                                            ByteView credential_id, std::string_view assertion);

}  // namespace posthorn::simulator
