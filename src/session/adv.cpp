#include "session/adv.h"

#include <algorithm>
#include <array>

#include "posthorn/base/crypto.h"
#include "posthorn/wire/names.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

constexpr std::size_t kMostIdentityBytes = 500;
constexpr std::array kAccountPrefix{std::byte{6}, std::byte{0}};
constexpr std::array kDevicePrefix{std::byte{6}, std::byte{1}};
constexpr std::array kHostedPrefix{std::byte{6}, std::byte{5}};

template <class Message>
Result<Message> decode(ByteView bytes, const char* what) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::malformed, std::string(what) + " is not what it should be");
  return message;
}

Bytes serialise(const google::protobuf::MessageLite& message) {
  return to_bytes(std::string_view(message.SerializeAsString()));
}

Result<void> check_hmac(const wa::ADVSignedDeviceIdentityHMAC& outer, ByteView adv_secret) {
  if (!outer.has_details() || !outer.has_hmac())
    return fail(Errc::malformed, "the device identity lacks its parts");
  const bool hosted = outer.accounttype() == wa::HOSTED;
  const ByteView details = as_bytes(outer.details());
  const auto hmac = crypto::hmac_sha256(
      adv_secret, hosted ? concat({kHostedPrefix, details}) : to_bytes(details));
  if (!equal_constant_time(hmac, as_bytes(outer.hmac())))
    return fail(Errc::crypto, "hmac of the device identity is wrong");
  return {};
}

}  // namespace

Result<PairSuccess> parse_pair_success(const wire::Node& iq) {
  const wire::Node* success = iq.child(names::kPairSuccess);
  if (success == nullptr) return fail(Errc::malformed, "no pair-success");
  const wire::Node* device = success->child(names::kDevice);
  const wire::Node* identity = success->child(names::kDeviceIdentity);
  if (device == nullptr || identity == nullptr)
    return fail(Errc::malformed, "pair-success without device or identity");
  PairSuccess out;
  out.id = iq.text_attr(names::kId);
  const auto pn = device->jid_attr(names::kJid);
  if (!pn || !pn->is_pn() || pn->user.empty() || pn->device == 0)
    return fail(Errc::malformed, "pair-success names no device");
  out.pn = *pn;
  if (const auto lid = device->jid_attr(names::kLid); lid && lid->is_lid()) out.lid = *lid;
  out.device_identity = to_bytes(identity->bytes());
  if (out.device_identity.empty() || out.device_identity.size() > kMostIdentityBytes)
    return fail(Errc::malformed, "the device identity has no plausible length");
  if (const auto* platform = success->child(names::kPlatform))
    out.platform = platform->text_attr(names::kName);
  if (const auto* business = success->child(names::kBiz))
    out.business_name = business->text_attr(names::kName);
  out.server_time = iq.int_attr(names::kT);
  if (const auto* given = success->child("client-props")) {
    wa::ClientPairingProps props;
    const ByteView bytes = given->bytes();
    if (props.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
        props.has_ischatdblidmigrated())
      out.lid_migrated = props.ischatdblidmigrated();
  }
  return out;
}

Result<Attestation> attest(ByteView device_identity, ByteView adv_secret,
                           const signal::KeyPair& identity, Random& random) {
  TRY(const auto outer,
      decode<wa::ADVSignedDeviceIdentityHMAC>(device_identity, "the device identity"));
  TRY(check_hmac(outer, adv_secret));
  TRY(auto signed_identity,
      decode<wa::ADVSignedDeviceIdentity>(as_bytes(outer.details()), "the signed device identity"));
  const ByteView key = as_bytes(signed_identity.accountsignaturekey());
  const ByteView signature = as_bytes(signed_identity.accountsignature());
  const ByteView details = as_bytes(signed_identity.details());
  Attestation out;
  if (key.size() != out.account_key.size() || signature.size() != sizeof(signal::Signature))
    return fail(Errc::malformed, "the account's key or signature has the wrong length");
  std::ranges::copy(key, out.account_key.begin());
  TRY(const auto inner, decode<wa::ADVDeviceIdentity>(details, "the inner device identity"));

  // The received bytes are what was signed; they are never serialised again.
  const auto& prefix = inner.devicetype() == wa::HOSTED ? kHostedPrefix : kAccountPrefix;
  if (!signal::verify(out.account_key, concat({prefix, details, identity.public_key}), signature))
    return fail(Errc::crypto, "account signature of the device identity is wrong");
  const auto ours = signal::sign(
      identity.private_key, concat({kDevicePrefix, details, identity.public_key, key}), random);
  signed_identity.set_devicesignature(ours.data(), ours.size());
  out.full = serialise(signed_identity);
  signed_identity.clear_accountsignaturekey();
  out.answer = serialise(signed_identity);
  out.key_index = inner.keyindex();
  return out;
}

wire::Node build_pair_device_sign(const std::string& id, const Attestation& attestation) {
  wire::Node identity(names::kDeviceIdentity,
                      {{names::kKeyIndex, std::to_string(attestation.key_index)}},
                      attestation.answer);
  wire::Node sign(names::kPairDeviceSign, {}, std::vector{std::move(identity)});
  return {names::kIq,
          {{names::kTo, wire::Jid{{}, std::string(wire::kServerUser), 0}},
           {names::kType, names::kResult},
           {names::kId, id}},
          std::vector{std::move(sign)}};
}

wire::Node build_pair_refusal(const std::string& id, const Error& why) {
  const bool ours = why.code != Errc::crypto;
  wire::Node error(names::kError, {{names::kCode, ours ? "500" : "401"},
                                   {names::kText, ours ? "internal-error" : "not-authorized"}});
  return {names::kIq,
          {{names::kTo, wire::Jid{{}, std::string(wire::kServerUser), 0}},
           {names::kType, names::kError},
           {names::kId, id}},
          std::vector{std::move(error)}};
}

}  // namespace posthorn::session
