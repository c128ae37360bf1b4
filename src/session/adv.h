#pragma once

#include <optional>
#include <string>

#include "posthorn/base/random.h"
#include "posthorn/signal/curve.h"
#include "posthorn/wire/node.h"

/// The end of every way of linking: <pair-success>, checked and signed. Pure.
/// Source: protocol chapter 03 section 3.
namespace posthorn::session {

struct PairSuccess {
  std::string id;  ///< of the iq, to be answered
  wire::Jid pn;    ///< with our device number
  wire::Jid lid;   ///< empty when the account has none
  std::string platform;
  std::string business_name;
  Bytes device_identity;  ///< serialised ADVSignedDeviceIdentityHMAC
  std::optional<std::int64_t> server_time;
  std::optional<bool> lid_migrated;  ///< <client-props>; nullopt: absent or unreadable
};

/// iq: <iq type="set"><pair-success>. Errors: malformed (no device, no identity, over 500 bytes).
[[nodiscard]] Result<PairSuccess> parse_pair_success(const wire::Node& iq);

/// What the account's owner signed, checked, with our signature added.
struct Attestation {
  Bytes full;    ///< ADVSignedDeviceIdentity with both signatures and the account key: keep it
  Bytes answer;  ///< the same without the account key: goes into <pair-device-sign>
  std::uint32_t key_index = 0;
  signal::PublicKey account_key{};  ///< the phone's identity key
};

/// Errors: malformed; crypto, with "hmac" or "account signature" in the text: nobody may link then.
[[nodiscard]] Result<Attestation> attest(ByteView device_identity, ByteView adv_secret,
                                         const signal::KeyPair& identity, Random& random);

/// The iq that answers <pair-success>: success, or the refusal that the phone shows.
[[nodiscard]] wire::Node build_pair_device_sign(const std::string& id,
                                                const Attestation& attestation);
[[nodiscard]] wire::Node build_pair_refusal(const std::string& id, const Error& why);

}  // namespace posthorn::session
