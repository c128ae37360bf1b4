#include <algorithm>

#include "posthorn/wire/noise.h"

namespace posthorn::wire {

namespace {

constexpr std::size_t kNonceBytes = 12;
using Nonce = std::array<std::byte, kNonceBytes>;

/// Eight zero bytes and a 32-bit big-endian counter.
Nonce nonce_of(std::uint32_t counter) {
  Nonce out{};
  for (std::size_t i = 0; i < 4; ++i) out[11 - i] = static_cast<std::byte>(counter >> (8 * i));
  return out;
}

Key32 key_at(ByteView bytes, std::size_t offset) {
  Key32 out;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return out;
}

}  // namespace

void append_routing_prefix(Bytes& out, ByteView routing_info) {
  constexpr std::array<std::byte, 4> kMark{std::byte{'E'}, std::byte{'D'}, std::byte{0},
                                           std::byte{1}};
  constexpr std::size_t kMost = (std::size_t{1} << 24) - 1;
  if (routing_info.empty() || routing_info.size() > kMost) return;
  append(out, kMark);
  for (const int shift : {16, 8, 0}) {
    out.push_back(static_cast<std::byte>(routing_info.size() >> shift));
  }
  append(out, routing_info);
}

NoiseState::NoiseState(std::string_view protocol_name) {
  if (protocol_name.size() > hash_.size()) {
    hash_ = crypto::sha256(as_bytes(protocol_name));
  } else {  // padded with zero bytes
    const ByteView name = as_bytes(protocol_name);
    std::copy(name.begin(), name.end(), hash_.begin());
  }
  chaining_key_ = hash_;
  key_ = hash_;
}

void NoiseState::mix_hash(ByteView data) { hash_ = crypto::sha256(concat({hash_, data})); }

void NoiseState::mix_key(ByteView secret) {
  const Bytes both = crypto::hkdf_sha256(secret, chaining_key_, {}, 64);
  chaining_key_ = key_at(both, 0);
  key_ = key_at(both, 32);
  counter_ = 0;
}

Result<void> NoiseState::mix_dh(const Key32& private_key, ByteView public_key) {
  const Result<Key32> shared = crypto::x25519(private_key, public_key);
  if (!shared) return fail(Errc::malformed, "handshake: " + shared.error().detail);
  mix_key(*shared);
  return {};
}

Bytes NoiseState::encrypt(ByteView plain) {
  Bytes sealed = crypto::aes_gcm_encrypt(key_, nonce_of(counter_++), hash_, plain);
  mix_hash(sealed);
  return sealed;
}

Result<Bytes> NoiseState::decrypt(ByteView sealed) {
  Result<Bytes> plain = crypto::aes_gcm_decrypt(key_, nonce_of(counter_), hash_, sealed);
  if (!plain) return fail(Errc::malformed, "handshake: wrong tag");
  ++counter_;
  mix_hash(sealed);
  return plain;
}

TransportKeys NoiseState::split() const {
  const Bytes both = crypto::hkdf_sha256({}, chaining_key_, {}, 64);
  return {key_at(both, 0), key_at(both, 32)};
}

}  // namespace posthorn::wire
