#include "session/passkey_crypto.h"

#include <algorithm>

#include "posthorn/wire/passkey.pb.h"
#include "session/link_code.h"

namespace posthorn::session::passkey {
namespace {

constexpr std::uint32_t kDeviceType = 1;  // CHROME, as in the registration payload and the QR text

void set(std::string* field, ByteView bytes) { field->assign(as_text(bytes)); }

}  // namespace

Prologue build_prologue(const crypto::Key32& ephemeral_public, const std::string& ref,
                        ByteView nonce) {
  wa::CompanionEphemeralIdentity identity;
  set(identity.mutable_publickey(), ephemeral_public);
  identity.set_devicetype(kDeviceType);
  identity.set_ref(ref);
  Prologue out;
  out.identity = to_bytes(identity.SerializeAsString());
  wa::ProloguePayload payload;
  set(payload.mutable_companionephemeralidentity(), out.identity);
  set(payload.mutable_commitment()->mutable_hash(), crypto::sha256(concat({out.identity, nonce})));
  out.payload = to_bytes(payload.SerializeAsString());
  return out;
}

Bytes handoff_key(ByteView adv_secret) {
  return crypto::hkdf_sha256(adv_secret, {}, as_bytes("shortcake-passkey-handoff-v1"), 32);
}

Bytes handoff_proof(ByteView handoff_key, ByteView prologue_payload) {
  return to_bytes(crypto::hmac_sha256(handoff_key, prologue_payload));
}

Result<PrimaryIdentity> decode_primary_identity(ByteView bytes) {
  wa::PrimaryEphemeralIdentity message;
  PrimaryIdentity out;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      message.publickey().size() != out.public_key.size() ||
      message.nonce().size() != out.nonce.size())
    return fail(Errc::malformed, "the phone's keys have another length than 32 bytes");
  std::ranges::copy(as_bytes(message.publickey()), out.public_key.begin());
  std::ranges::copy(as_bytes(message.nonce()), out.nonce.begin());
  return out;
}

std::string compare_code(ByteView companion_nonce, const PrimaryIdentity& primary) {
  constexpr std::size_t kCodeBytes = 5;
  const auto digest = crypto::sha256(concat({companion_nonce, primary.public_key}));
  Bytes five(kCodeBytes);
  for (std::size_t i = 0; i < kCodeBytes; ++i) five[i] = primary.nonce[i] ^ digest[i];
  return link_code::code_from_random(five);
}

Result<Bytes> request_key(const crypto::Key32& ephemeral_private, const PrimaryIdentity& primary,
                          const std::string& ref) {
  TRY(const auto shared, crypto::x25519(ephemeral_private, primary.public_key));
  const std::string salt = "Companion Pairing " + std::to_string(kDeviceType) + " with ref " + ref;
  return crypto::hkdf_sha256(shared, as_bytes(salt), as_bytes("Pairing Information Encryption Key"),
                             32);
}

Bytes seal_request(ByteView key, ByteView iv, const Request& request) {
  wa::PairingRequest plain;
  set(plain.mutable_companionpublickey(), request.noise_public);
  set(plain.mutable_companionidentitykey(), request.identity_public);
  set(plain.mutable_advsecret(), request.adv_secret);
  wa::EncryptedPairingRequest sealed;
  set(sealed.mutable_encryptedpayload(),
      crypto::aes_gcm_encrypt(key, iv, {}, as_bytes(plain.SerializeAsString())));
  set(sealed.mutable_iv(), iv);
  return to_bytes(sealed.SerializeAsString());
}

}  // namespace posthorn::session::passkey
