#include "session/link_code.h"

#include <algorithm>
#include <array>

namespace posthorn::session::link_code {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTVWXYZ";
constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kIvBytes = 16;

Bytes key_of(const std::string& code, ByteView salt) {
  return crypto::pbkdf2_sha256(as_bytes(code), salt, kRounds, 32);
}

}  // namespace

std::string code_from_random(ByteView five) {
  std::uint64_t bits = 0;
  for (const std::byte b : five.first(5)) bits = (bits << 8) | std::to_integer<std::uint64_t>(b);
  std::string code(8, '1');
  for (std::size_t i = 0; i < code.size(); ++i) code[i] = kAlphabet[(bits >> (35 - 5 * i)) & 31];
  return code;
}

std::string for_people(const std::string& code) {
  return code.size() == 8 ? code.substr(0, 4) + "-" + code.substr(4) : code;
}

Result<std::string> check_phone(std::string_view phone) {
  const bool digits = std::ranges::all_of(phone, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || phone.size() < 7 || phone.size() > 15)
    return fail(Errc::malformed, "the phone number must be 7 to 15 digits with its country code");
  if (phone.front() == '0')
    return fail(Errc::malformed, "the phone number must begin with its country code, not with 0");
  return std::string(phone);
}

Bytes wrap_ephemeral(const std::string& code, ByteView salt32, ByteView iv16,
                     const crypto::Key32& ephemeral_public) {
  const Bytes key = key_of(code, salt32);
  return concat({salt32, iv16, crypto::aes_ctr(key, iv16, ephemeral_public)});
}

Result<crypto::Key32> unwrap_ephemeral(const std::string& code, ByteView wrapped) {
  if (wrapped.size() != kWrappedBytes)
    return fail(Errc::malformed, "the phone's key is not 80 bytes long");
  const ByteView salt = wrapped.first(kSaltBytes);
  const ByteView iv = wrapped.subspan(kSaltBytes, kIvBytes);
  const Bytes plain =
      crypto::aes_ctr(key_of(code, salt), iv, wrapped.subspan(kSaltBytes + kIvBytes));
  crypto::Key32 out{};
  std::ranges::copy(plain, out.begin());
  return out;
}

Result<Finish> finish(const FinishInput& in) {
  TRY(const auto shared_ephemeral,
      crypto::x25519(in.ephemeral_private, in.primary_ephemeral_public));
  TRY(const auto shared_identity, crypto::x25519(in.identity_private, in.primary_identity_public));
  const Bytes key =
      crypto::hkdf_sha256(shared_ephemeral, in.bundle_salt,
                          as_bytes("link_code_pairing_key_bundle_encryption_key"), 32);
  const Bytes plain = concat({in.identity_public, in.primary_identity_public, in.random});
  const Bytes sealed = crypto::aes_gcm_encrypt(key, in.bundle_nonce, {}, plain);
  Finish out;
  out.bundle = concat({in.bundle_salt, in.bundle_nonce, sealed});
  out.adv_secret = crypto::hkdf_sha256(concat({shared_ephemeral, shared_identity, in.random}), {},
                                       as_bytes("adv_secret"), 32);
  return out;
}

}  // namespace posthorn::session::link_code
