#include "posthorn/wire/certificate.h"

#include <algorithm>
#include <limits>

#include "posthorn/wire/wa.pb.h"
#include "wire/proto_text.h"

namespace posthorn::wire {

namespace {

using Certificate = wa::CertChain::NoiseCertificate;
using Details = Certificate::Details;

constexpr std::size_t kSignatureBytes = 64;
constexpr std::uint32_t kIntermediateSerial = 1;
constexpr std::uint32_t kLeafSerial = 2;

tl::unexpected<Error> refused(std::string_view what) {
  return fail(Errc::crypto, "certificate: " + std::string(what));
}

/// A certificate whose shape is right; its signature is not checked yet.
struct Checked {
  Details details;
  Key32 key{};
};

Result<Checked> read_certificate(bool present, const Certificate& certificate,
                                 std::string_view name) {
  const auto bad = [name](std::string_view what) {
    return refused(std::string(name) + " " + std::string(what));
  };
  if (!present || !certificate.has_details()) return bad("is missing");
  if (certificate.signature().size() != kSignatureBytes) return bad("signature is not 64 bytes");
  Checked out;
  if (!parse(out.details, as_bytes(certificate.details()))) return bad("details are garbled");
  if (out.details.key().size() != out.key.size()) return bad("key is not 32 bytes");
  const ByteView key = as_bytes(out.details.key());
  std::copy(key.begin(), key.end(), out.key.begin());
  return out;
}

bool signed_by(const Key32& issuer, const Certificate& certificate, const VerifySignature& verify) {
  // The signature covers the bytes as received, never a new serialisation.
  return verify(issuer, as_bytes(certificate.details()), as_bytes(certificate.signature()));
}

std::int64_t as_seconds(std::uint64_t unix_seconds) {
  constexpr auto kLast = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(unix_seconds, kLast));
}

/// Turns one signature into a wrong one of the same shape.
void spoil(Certificate& certificate) {
  std::string& signature = *certificate.mutable_signature();
  signature[1] = static_cast<char>(signature[1] ^ 1);
}

Certificate make_certificate(const Details& details, const Key32& issuer, const SignMessage& sign) {
  Certificate out;
  out.set_details(details.SerializeAsString());
  out.set_signature(proto_text(sign(issuer, as_bytes(out.details()))));
  return out;
}

Details make_details(const ChainRecipe& recipe, std::uint32_t serial, std::uint32_t issuer,
                     const Key32& key) {
  Details out;
  out.set_serial(serial);
  out.set_issuerserial(issuer);
  out.set_key(proto_text(key));
  if (recipe.flaw != ChainFlaw::without_window) {
    out.set_notbefore(static_cast<std::uint64_t>(recipe.not_before));
    out.set_notafter(static_cast<std::uint64_t>(recipe.not_after));
  }
  return out;
}

/// Flaws inside what gets signed.
void spoil_details(Details& intermediate, Details& leaf, const ChainRecipe& recipe) {
  const auto before = static_cast<std::uint64_t>(recipe.not_before);
  const auto after = static_cast<std::uint64_t>(recipe.not_after);
  switch (recipe.flaw) {
    case ChainFlaw::expired:
      leaf.set_notafter(before);
      break;
    case ChainFlaw::not_yet_valid:
      leaf.set_notbefore(after);
      break;
    case ChainFlaw::other_leaf_key:
      leaf.set_key(proto_text(recipe.intermediate.public_key));
      break;
    case ChainFlaw::leaf_issuer:
      leaf.set_issuerserial(kRootSerial);
      break;
    case ChainFlaw::intermediate_issuer:
      intermediate.set_issuerserial(kLeafSerial);
      break;
    case ChainFlaw::short_key:
      intermediate.mutable_key()->pop_back();
      break;
    default:
      break;  // the other flaws are outside the signed details
  }
}

/// Flaws around it.
void spoil_chain(wa::CertChain& chain, ChainFlaw flaw) {
  switch (flaw) {
    case ChainFlaw::leaf_signature:
      spoil(*chain.mutable_leaf());
      break;
    case ChainFlaw::intermediate_signature:
      spoil(*chain.mutable_intermediate());
      break;
    case ChainFlaw::no_leaf:
      chain.clear_leaf();
      break;
    case ChainFlaw::no_intermediate:
      chain.clear_intermediate();
      break;
    case ChainFlaw::short_signature:
      chain.mutable_leaf()->mutable_signature()->pop_back();
      break;
    default:
      break;  // the other flaws are inside the signed details
  }
}

constexpr Key32 key_from(std::string_view hex) {
  Key32 out{};
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  }
  return out;
}

}  // namespace

constexpr Key32 kWhatsAppRootKey =
    key_from("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b");

constexpr std::array<ChainFlaw, 12> kAllChainFlaws = {
    ChainFlaw::expired,         ChainFlaw::not_yet_valid,       ChainFlaw::without_window,
    ChainFlaw::other_leaf_key,  ChainFlaw::leaf_signature,      ChainFlaw::intermediate_signature,
    ChainFlaw::leaf_issuer,     ChainFlaw::intermediate_issuer, ChainFlaw::no_leaf,
    ChainFlaw::no_intermediate, ChainFlaw::short_signature,     ChainFlaw::short_key};

KeyPair make_key_pair(Random& random) {
  Key32 private_key;
  random.fill(private_key);
  return key_pair_from_private(private_key);
}

KeyPair key_pair_from_private(const Key32& private_key) {
  KeyPair out{private_key, {}};
  out.private_key[0] &= std::byte{248};
  out.private_key[31] &= std::byte{127};
  out.private_key[31] |= std::byte{64};
  out.public_key = crypto::x25519_public(out.private_key);
  return out;
}

Result<ServerCertificate> verify_certificate_chain(ByteView serialised, const Key32& root,
                                                   const Key32& server_static, Wall now,
                                                   const VerifySignature& verify) {
  wa::CertChain chain;
  if (!parse(chain, serialised)) {
    return refused("not a chain");
  }
  TRY(const Checked leaf, read_certificate(chain.has_leaf(), chain.leaf(), "leaf"));
  TRY(const Checked intermediate,
      read_certificate(chain.has_intermediate(), chain.intermediate(), "intermediate"));
  if (!signed_by(root, chain.intermediate(), verify)) {
    return refused("the root did not sign the intermediate");
  }
  if (intermediate.details.issuerserial() != kRootSerial) {
    return refused("the intermediate names another issuer");
  }
  if (!signed_by(intermediate.key, chain.leaf(), verify)) {
    return refused("the intermediate did not sign the leaf");
  }
  if (leaf.details.issuerserial() != intermediate.details.serial()) {
    return refused("the leaf names another issuer");
  }
  if (leaf.key != server_static) return refused("the leaf is for another server key");

  ServerCertificate out;
  out.leaf_key = leaf.key;
  out.not_before = as_seconds(std::max(leaf.details.notbefore(), intermediate.details.notbefore()));
  out.not_after = as_seconds(std::min(leaf.details.notafter(), intermediate.details.notafter()));
  if (now.trusted) TRY(check_window(out, now));
  out.window_checked = now.trusted;
  return out;
}

Result<void> check_window(const ServerCertificate& certificate, Wall now) {
  const std::int64_t t = now.unix_seconds();
  if (t < certificate.not_before) return refused("not valid yet");
  if (t > certificate.not_after) return refused("expired");
  return {};
}

std::string_view to_string(ChainFlaw flaw) {
  switch (flaw) {
    case ChainFlaw::none:
      return "none";
    case ChainFlaw::expired:
      return "expired";
    case ChainFlaw::not_yet_valid:
      return "not_yet_valid";
    case ChainFlaw::without_window:
      return "without_window";
    case ChainFlaw::other_leaf_key:
      return "other_leaf_key";
    case ChainFlaw::leaf_signature:
      return "leaf_signature";
    case ChainFlaw::intermediate_signature:
      return "intermediate_signature";
    case ChainFlaw::leaf_issuer:
      return "leaf_issuer";
    case ChainFlaw::intermediate_issuer:
      return "intermediate_issuer";
    case ChainFlaw::no_leaf:
      return "no_leaf";
    case ChainFlaw::no_intermediate:
      return "no_intermediate";
    case ChainFlaw::short_signature:
      return "short_signature";
    case ChainFlaw::short_key:
      return "short_key";
  }
  return "?";
}

Bytes build_certificate_chain(const ChainRecipe& recipe, const SignMessage& sign) {
  Details intermediate =
      make_details(recipe, kIntermediateSerial, kRootSerial, recipe.intermediate.public_key);
  Details leaf = make_details(recipe, kLeafSerial, kIntermediateSerial, recipe.server_static);
  spoil_details(intermediate, leaf, recipe);
  wa::CertChain chain;
  *chain.mutable_leaf() = make_certificate(leaf, recipe.intermediate.private_key, sign);
  *chain.mutable_intermediate() = make_certificate(intermediate, recipe.root.private_key, sign);
  spoil_chain(chain, recipe.flaw);
  return serialise(chain);
}

}  // namespace posthorn::wire
