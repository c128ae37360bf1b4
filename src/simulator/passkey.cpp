#include "simulator/passkey.h"

#include <mbedtls/bignum.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>

#include <algorithm>
#include <array>

#include "posthorn/base/base64url.h"

namespace posthorn::simulator {

namespace {

constexpr std::string_view kRpId = "whatsapp.com";
constexpr std::string_view kOrigin = "https://web.whatsapp.com";
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kHandleBytes = 16;

/// A key of P-256 as mbedTLS holds it.
struct P256 {
  P256() {
    mbedtls_ecp_keypair_init(&pair);
    mbedtls_ecp_group_load(&pair.grp, MBEDTLS_ECP_DP_SECP256R1);
  }
  P256(const P256&) = delete;
  P256& operator=(const P256&) = delete;
  ~P256() { mbedtls_ecp_keypair_free(&pair); }

  mbedtls_ecp_keypair pair;
};

int fill(void* random, unsigned char* out, std::size_t size) {
  static_cast<Random*>(random)->fill({reinterpret_cast<std::byte*>(out), size});
  return 0;
}

unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

/// DER, as authenticators give it.
Bytes sign(const PasskeyCredential& credential, ByteView data, Random& random) {
  P256 key;
  mbedtls_mpi_read_binary(&key.pair.d, raw(credential.secret.data()), credential.secret.size());
  const auto hash = crypto::sha256(data);
  std::array<std::byte, MBEDTLS_ECDSA_MAX_LEN> out{};
  std::size_t size = 0;
  mbedtls_ecdsa_write_signature(&key.pair, MBEDTLS_MD_SHA256, raw(hash.data()), hash.size(),
                                raw(out.data()), &size, fill, &random);
  return to_bytes(ByteView(out).first(size));
}

bool signed_by(const PasskeyCredential& credential, ByteView data, ByteView signature) {
  P256 key;
  mbedtls_ecp_point_read_binary(&key.pair.grp, &key.pair.Q, raw(credential.public_point.data()),
                                credential.public_point.size());
  const auto hash = crypto::sha256(data);
  return mbedtls_ecdsa_read_signature(&key.pair, raw(hash.data()), hash.size(),
                                      raw(signature.data()), signature.size()) == 0;
}

/// A member of text in base64url without padding, as the server takes it.
Result<Bytes> strict_bytes(const json::Value& object, const char* name) {
  const std::string text = json::string_at(object, name).value_or("");
  const auto bytes = base64_decode(text);
  if (!bytes || bytes->empty() || base64url_encode(*bytes) != text)
    return fail(Errc::malformed, std::string(name) + " is not base64url without padding");
  return *bytes;
}

Result<void> check_client_data(ByteView bytes, ByteView challenge) {
  TRY(const auto data, json::parse(as_text(bytes)));
  if (json::string_at(data, "type") != "webauthn.get")
    return fail(Errc::malformed, "clientDataJSON: type");
  if (json::string_at(data, "challenge") != base64url_encode(challenge))
    return fail(Errc::malformed, "clientDataJSON: challenge");
  if (json::string_at(data, "origin") != kOrigin)
    return fail(Errc::malformed, "clientDataJSON: origin");
  return {};
}

Result<void> check_authenticator_data(ByteView bytes) {
  constexpr std::size_t kLeast = 37;
  constexpr std::byte kPresentAndVerified{0x05};
  if (bytes.size() < kLeast) return fail(Errc::malformed, "authenticatorData: length");
  if (!std::ranges::equal(bytes.first(32), crypto::sha256(as_bytes(kRpId))))
    return fail(Errc::malformed, "authenticatorData: rpIdHash");
  if ((bytes[32] & kPresentAndVerified) != kPresentAndVerified)
    return fail(Errc::malformed, "authenticatorData: flags");
  return {};
}

/// The members of this object and no others.
bool has_just(const json::Value& object, std::vector<std::string> names) {
  if (!object.isObject()) return false;
  auto members = object.getMemberNames();
  std::ranges::sort(members);
  std::ranges::sort(names);
  return members == names;
}

}  // namespace

PasskeyCredential make_passkey(Random& random) {
  PasskeyCredential out;
  out.id = random.bytes(kIdBytes);
  out.user_handle = random.bytes(kHandleBytes);
  P256 key;
  mbedtls_ecp_gen_keypair(&key.pair.grp, &key.pair.d, &key.pair.Q, fill, &random);
  mbedtls_mpi_write_binary(&key.pair.d, raw(out.secret.data()), out.secret.size());
  out.public_point.resize(65);
  std::size_t size = 0;
  mbedtls_ecp_point_write_binary(&key.pair.grp, &key.pair.Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &size,
                                 raw(out.public_point.data()), out.public_point.size());
  return out;
}

Bytes pkcs8_of(const PasskeyCredential& credential) {
  // SEQUENCE {0, {ecPublicKey, prime256v1}, OCTET STRING {SEQUENCE {1, secret, [1] public point}}}
  const Bytes head =
      *hex_decode("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420");
  const Bytes middle = *hex_decode("a144034200");
  return concat({head, credential.secret, middle, credential.public_point});
}

std::string request_options(const PasskeyCredential& credential, ByteView challenge) {
  return R"({"challenge":")" + base64url_encode(challenge) +
         R"(","timeout":600000,"rpId":"whatsapp.com","allowCredentials":[{"id":")" +
         base64url_encode(credential.id) +
         R"(","type":"public-key","transports":["internal","hybrid"]}],)" +
         R"("userVerification":"required","extensions":{}})";
}

Result<json::Value> sign_assertion(PasskeyCredential& credential, const json::Value& options,
                                   AssertionFlaw flaw, Random& random) {
  const auto challenge = json::string_at(options, "challenge");
  if (!challenge) return fail(Errc::malformed, "options: a challenge is missing");
  json::Value client(Json::objectValue);
  client["type"] = "webauthn.get";
  client["challenge"] = flaw == AssertionFlaw::challenge ? "b2xk" : *challenge;
  client["origin"] =
      flaw == AssertionFlaw::origin ? "https://web.whatsapp.example" : std::string(kOrigin);
  client["crossOrigin"] = false;
  const std::string client_data = json::write(client);
  const std::string rp_id = flaw == AssertionFlaw::rp_id ? "example.com" : std::string(kRpId);
  Bytes data = to_bytes(crypto::sha256(as_bytes(rp_id)));
  data.push_back(flaw == AssertionFlaw::flags ? std::byte{0x01} : std::byte{0x05});
  const std::uint32_t count = ++credential.count;
  for (int shift = 24; shift >= 0; shift -= 8)
    data.push_back(static_cast<std::byte>((count >> shift) & 0xFFU));
  Bytes signature = sign(credential, concat({data, crypto::sha256(as_bytes(client_data))}), random);
  if (flaw == AssertionFlaw::signature) signature.back() ^= std::byte{1};

  Bytes id = credential.id;
  if (flaw == AssertionFlaw::credential) id.front() ^= std::byte{1};
  json::Value out(Json::objectValue);
  out["id"] = base64url_encode(id);
  out["rawId"] = base64url_encode(id);
  out["type"] = "public-key";
  out["authenticatorAttachment"] = "cross-platform";
  out["clientExtensionResults"] = json::Value(Json::objectValue);
  json::Value& response = out["response"];
  response["clientDataJSON"] = base64url_encode(as_bytes(client_data));
  response["authenticatorData"] = base64url_encode(data);
  response["signature"] = base64url_encode(signature);
  response["userHandle"] = base64url_encode(credential.user_handle);
  return out;
}

Result<void> verify_assertion(const PasskeyCredential& credential, ByteView challenge,
                              ByteView credential_id, std::string_view assertion) {
  TRY(const auto answer, json::parse(assertion));
  const json::Value& response = json::at(answer, "response");
  if (!has_just(answer, {"id", "rawId", "type", "response"}) ||
      !has_just(response, {"clientDataJSON", "authenticatorData", "signature", "userHandle"}))
    return fail(Errc::malformed, "webauthn_assertion: members");
  if (json::string_at(answer, "type") != "public-key")
    return fail(Errc::malformed, "webauthn_assertion: type");
  TRY(const Bytes id, strict_bytes(answer, "id"));
  TRY(const Bytes raw_id, strict_bytes(answer, "rawId"));
  if (id != raw_id || !std::ranges::equal(raw_id, credential_id) || raw_id != credential.id)
    return fail(Errc::malformed, "webauthn_assertion: another credential");
  TRY(const Bytes client_data, strict_bytes(response, "clientDataJSON"));
  TRY(const Bytes data, strict_bytes(response, "authenticatorData"));
  TRY(const Bytes signature, strict_bytes(response, "signature"));
  if (!json::at(response, "userHandle").isNull()) TRY(strict_bytes(response, "userHandle"));
  TRY(check_client_data(client_data, challenge));
  TRY(check_authenticator_data(data));
  if (!signed_by(credential, concat({data, crypto::sha256(client_data)}), signature))
    return fail(Errc::refused, "signature");
  return {};
}

}  // namespace posthorn::simulator
