#include "posthorn/signal/curve.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

#include "signal/crypto_provider.h"
#include "signal/curve_points.h"

namespace posthorn::signal {

namespace {

constexpr std::byte kDjbType{5};

/// The library fails these only for lack of memory, or because of our arguments.
void must(int status) {
  assert(status >= 0);
  if (status < 0) std::abort();
}

/// Hands out given bytes once: signatures that can be repeated.
class GivenRandom final : public Random {
 public:
  explicit GivenRandom(ByteView bytes) : bytes_(bytes) {}
  void fill(std::span<std::byte> out) override {
    assert(out.size() <= bytes_.size());
    std::copy_n(bytes_.begin(), out.size(), out.begin());
    bytes_ = bytes_.subspan(out.size());
  }

 private:
  ByteView bytes_;
};

}  // namespace

Ref<ec_public_key> to_point(const PublicKey& key) {
  const auto bytes = with_type_byte(key);
  Ref<ec_public_key> point;
  must(curve_decode_point(point.out(), raw(bytes), bytes.size(), nullptr));
  return point;
}

Ref<ec_private_key> to_scalar(const PrivateKey& key) {
  Ref<ec_private_key> scalar;
  must(curve_decode_private_point(scalar.out(), raw(key), key.size(), nullptr));
  return scalar;
}

PublicKey from_point(const ec_public_key* point) {
  signal_buffer* serialized = nullptr;
  must(ec_public_key_serialize(&serialized, point));
  const Buffer owner(serialized);
  const ByteView bytes = view(serialized);
  assert(bytes.size() == 33);
  PublicKey key;
  std::copy(bytes.begin() + 1, bytes.end(), key.begin());
  return key;
}

KeyPair make_key_pair(Random& random) {
  PrivateKey key;
  random.fill(key);
  return key_pair_of(key);
}

KeyPair key_pair_of(const PrivateKey& private_key) {
  KeyPair pair;
  pair.private_key = private_key;
  pair.private_key[0] &= std::byte{248};
  pair.private_key[31] &= std::byte{127};
  pair.private_key[31] |= std::byte{64};
  const auto scalar = to_scalar(pair.private_key);
  Ref<ec_public_key> point;
  must(curve_generate_public_key(point.out(), scalar.get()));
  pair.public_key = from_point(point.get());
  return pair;
}

Result<crypto::Key32> agree(const PrivateKey& ours, const PublicKey& theirs) {
  const auto scalar = to_scalar(ours);
  const auto point = to_point(theirs);
  std::uint8_t* shared = nullptr;
  const int length = curve_calculate_agreement(&shared, point.get(), scalar.get());
  const std::unique_ptr<std::uint8_t, decltype(&std::free)> owner(shared, &std::free);
  crypto::Key32 out;
  if (length != static_cast<int>(out.size())) return fail(Errc::crypto, "X25519 failed");
  std::copy_n(reinterpret_cast<const std::byte*>(shared), out.size(), out.begin());
  std::fill_n(shared, out.size(), std::uint8_t{0});
  if (std::all_of(out.begin(), out.end(), [](std::byte b) { return b == std::byte{}; })) {
    return fail(Errc::crypto, "X25519: public key of small order");
  }
  return out;
}

Signature sign(const PrivateKey& key, ByteView message, Random& random) {
  std::array<std::byte, 64> nonce;
  random.fill(nonce);
  return sign_with(key, message, nonce);
}

Signature sign_with(const PrivateKey& key, ByteView message,
                    std::span<const std::byte, 64> random64) {
  GivenRandom random(random64);
  const Context context(random);
  const auto scalar = to_scalar(key);
  signal_buffer* signature = nullptr;
  must(curve_calculate_signature(context.get(), &signature, scalar.get(), raw(message),
                                 message.size()));
  const Buffer owner(signature);
  const ByteView bytes = view(signature);
  Signature out;
  assert(bytes.size() == out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

bool verify(const PublicKey& key, ByteView message, ByteView signature) {
  if (signature.size() != CURVE_SIGNATURE_LEN) return false;
  const auto point = to_point(key);
  return curve_verify_signature(point.get(), raw(message), message.size(), raw(signature),
                                signature.size()) == 1;
}

Result<PublicKey> parse_public_key(ByteView bytes) {
  if (bytes.size() == 33 && bytes[0] == kDjbType) bytes = bytes.subspan(1);
  PublicKey key;
  if (bytes.size() != key.size()) {
    return fail(Errc::malformed, "public key of " + std::to_string(bytes.size()) + " bytes");
  }
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

std::array<std::byte, 33> with_type_byte(const PublicKey& key) {
  std::array<std::byte, 33> out;
  out[0] = kDjbType;
  std::copy(key.begin(), key.end(), out.begin() + 1);
  return out;
}

}  // namespace posthorn::signal
