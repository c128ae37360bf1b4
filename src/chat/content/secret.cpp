#include "chat/content/secret.h"

#include "posthorn/base/crypto.h"

namespace posthorn::chat {
namespace {

constexpr std::size_t kIvBytes = 12;
constexpr std::size_t kKeyBytes = 32;

}  // namespace

Result<Bytes> open_secret(const SecretParent& parent, std::string_view use_case, ByteView iv,
                          ByteView payload) {
  if (iv.size() != kIvBytes) return fail(Errc::malformed, "add-on iv");
  const Bytes info = concat({as_bytes(parent.id), as_bytes(parent.sender),
                             as_bytes(parent.modifier), as_bytes(use_case)});
  const Bytes key = crypto::hkdf_sha256(parent.secret, {}, info, kKeyBytes);
  Bytes associated;
  if (use_case == kPollVote || use_case == kEventResponse) {
    associated = concat(
        {as_bytes(parent.id), as_bytes(std::string_view("\0", 1)), as_bytes(parent.modifier)});
  }
  return crypto::aes_gcm_decrypt(key, iv, associated, payload);
}

}  // namespace posthorn::chat
