#include "posthorn/signal/curve.h"

#include <gtest/gtest.h>

#include "signal/vectors.h"
#include "support/fakes.h"

namespace posthorn::signal {
namespace {

TEST(Curve, SignsAndVerifiesTheXeddsaVectors) {
  const auto file = load_vectors("xeddsa.json");
  int valid = 0;
  int wrong = 0;
  for (const auto& vector : json::at(file, "vectors")) {
    const Bytes message = hex_at(vector, "message");
    const auto key = array_at<PublicKey>(vector, "pub");
    const Bytes signature = hex_at(vector, "signature");
    const bool expected = *json::bool_at(vector, "valid");
    EXPECT_EQ(verify(key, message, signature), expected);
    if (!expected) {
      ++wrong;
      continue;
    }
    ++valid;
    const auto made = sign_with(array_at<PrivateKey>(vector, "priv"), message,
                                array_at<Signature>(vector, "random64"));
    EXPECT_EQ(hex_encode(made), hex_encode(signature));
    EXPECT_EQ(key_pair_of(array_at<PrivateKey>(vector, "priv")).public_key, key);
  }
  EXPECT_EQ(valid, 4);
  EXPECT_EQ(wrong, 4);
}

TEST(Curve, RefusesSignaturesOfAnotherKeyMessageOrLength) {
  test::SeededRandom random;
  const KeyPair ours = make_key_pair(random);
  const KeyPair other = make_key_pair(random);
  const Bytes message = to_bytes("device identity");
  const Signature signature = sign(ours.private_key, message, random);
  EXPECT_TRUE(verify(ours.public_key, message, signature));
  EXPECT_FALSE(verify(other.public_key, message, signature));
  EXPECT_FALSE(verify(ours.public_key, to_bytes("device identitx"), signature));
  EXPECT_FALSE(verify(ours.public_key, message, ByteView(signature).first(63)));
  EXPECT_FALSE(verify(ours.public_key, message, {}));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    if (bit == 511) continue;  // the sign bit of the key belongs to the format
    Signature flipped = signature;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(verify(ours.public_key, message, flipped)) << bit;
  }
}

TEST(Curve, AgreesLikeTheOtherImplementationAndRefusesSmallOrder) {
  test::SeededRandom random;
  const KeyPair a = make_key_pair(random);
  const KeyPair b = make_key_pair(random);
  const auto ab = agree(a.private_key, b.public_key);
  ASSERT_TRUE(ab.has_value());
  EXPECT_EQ(*ab, *agree(b.private_key, a.public_key));
  EXPECT_EQ(*ab, *crypto::x25519(a.private_key, b.public_key));
  EXPECT_EQ(agree(a.private_key, PublicKey{}).error().code, Errc::crypto);
}

TEST(Curve, ReadsPublicKeysWithAndWithoutTypeByte) {
  test::SeededRandom random;
  const KeyPair pair = make_key_pair(random);
  EXPECT_EQ(*parse_public_key(pair.public_key), pair.public_key);
  EXPECT_EQ(*parse_public_key(with_type_byte(pair.public_key)), pair.public_key);
  auto wrong = with_type_byte(pair.public_key);
  wrong[0] = std::byte{6};
  EXPECT_EQ(parse_public_key(wrong).error().code, Errc::malformed);
  EXPECT_EQ(parse_public_key(ByteView(pair.public_key).first(31)).error().code, Errc::malformed);
  EXPECT_EQ(parse_public_key({}).error().code, Errc::malformed);
}

}  // namespace
}  // namespace posthorn::signal
