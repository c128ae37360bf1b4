#include <gtest/gtest.h>

#include <algorithm>

#include "posthorn/wire/passkey.pb.h"
#include "session/passkey_crypto.h"

// Vectors: protocol chapter 03 section 8.4, made by another implementation and recomputed by a
// third for chapter 14.
namespace posthorn::session {
namespace {

Bytes hex(std::string_view text) { return *hex_decode(text); }

crypto::Key32 key(std::string_view text) {
  crypto::Key32 out;
  std::ranges::copy(hex(text), out.begin());
  return out;
}

Bytes run_of(int first, int last) {
  Bytes out;
  for (int i = first; i <= last; ++i) out.push_back(static_cast<std::byte>(i));
  return out;
}

constexpr auto kRef = "2@TESTREF0001";
constexpr auto kEphemeralPrivate =
    "a8aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa6a";
constexpr auto kEphemeralPublic =
    "14ca9e4d387bccf35746e0407daaacc6b28a4f8445ef5a5158894db983e24070";
constexpr auto kPrologue =
    "0a330a2014ca9e4d387bccf35746e0407daaacc6b28a4f8445ef5a5158894db983e2407010011a0d32405445535452"
    "454630303031"
    "12220a2031d9ef78ebdbddf0cdb4dfdd19d52ca9ea6d269ae156a848753f920ef0b9b1eb";

passkey::PrimaryIdentity primary() {
  passkey::PrimaryIdentity out;
  out.public_key = key("6b0b616d718e53691236d3be3ce6d44f9d28836426d81305d131f488206f8d2b");
  std::ranges::copy(run_of(0x80, 0x9f), out.nonce.begin());
  return out;
}

TEST(PasskeyVectors, PrologueWithItsCommitment) {
  const auto made = passkey::build_prologue(key(kEphemeralPublic), kRef, run_of(0x20, 0x3f));
  EXPECT_EQ(hex_encode(made.identity),
            "0a2014ca9e4d387bccf35746e0407daaacc6b28a4f8445ef5a5158894db983e2407010011a0d3240544553"
            "5452454630303031");
  EXPECT_EQ(hex_encode(made.payload), kPrologue);
}

TEST(PasskeyVectors, CodeThatBothShow) {
  EXPECT_EQ(passkey::compare_code(run_of(0x20, 0x3f), primary()), "26KW9S7A");
}

TEST(PasskeyVectors, RequestUnderTheSharedKey) {
  const auto made = passkey::request_key(key(kEphemeralPrivate), primary(), kRef);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(hex_encode(*made), "2154f575e81a41c8cd2591c5586dc1f9d20e00f9cb8ff7e53431eedcd1eac046");
  const Bytes sealed = passkey::seal_request(
      *made, run_of(0x50, 0x5b),
      {key("0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20"),
       key("1cf579aba45a10ba1d1ef06d91fca2aa9ed0a1150515653155405d0b18cb9a67"),
       run_of(0x30, 0x4f)});
  EXPECT_EQ(hex_encode(sealed),
            "0a76069f073676c431fbd5d4118a2f62a2f7d03a7ee447abcbe4c5a465f5c2105a5b669e28948177b12f92"
            "6a66d27f1affa94d469148d4687598d543f3ba848119278ff2a892d9e0aef3a04aeb054aae625421bc92e0"
            "acc91750c5c19d9e8bdcf5d12b547d137ef60a9432f5fc4cb7424d174f9e535f43b4120c50515253545556"
            "5758595a5b");
  // The plain text of chapter 14 section 5.
  wa::EncryptedPairingRequest outer;
  ASSERT_TRUE(outer.ParseFromArray(sealed.data(), static_cast<int>(sealed.size())));
  const auto plain =
      crypto::aes_gcm_decrypt(*made, run_of(0x50, 0x5b), {}, as_bytes(outer.encryptedpayload()));
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->size(), 102U);
  EXPECT_EQ(hex_encode(*plain).substr(0, 8), "0a200faa");
  EXPECT_EQ(hex_encode(*plain).substr(200), "4e4f");
}

TEST(PasskeyVectors, HandoffOfALinkedBox) {
  const Bytes made = passkey::handoff_key(run_of(0, 0x1f));
  EXPECT_EQ(hex_encode(made), "bf71b722a793d4f9d2c8e46ad45266621b5d4c5273cca92d93068648346c10a5");
  EXPECT_EQ(hex_encode(passkey::handoff_proof(made, hex(kPrologue))),
            "aba21f98410104a1ed3cad8cff4ca25eac8546d087d710adaad4d2e4c86b1bbc");
}

TEST(PasskeyVectors, RefusesKeysOfAnotherLength) {
  wa::PrimaryEphemeralIdentity message;
  const auto decode = [&] {
    const std::string bytes = message.SerializeAsString();
    return passkey::decode_primary_identity(as_bytes(bytes));
  };
  EXPECT_FALSE(decode().has_value());
  message.set_publickey(std::string(32, 'k'));
  message.set_nonce(std::string(32, 'n'));
  EXPECT_TRUE(decode().has_value());
  message.set_nonce(std::string(31, 'n'));
  EXPECT_FALSE(decode().has_value());
  message.set_nonce(std::string(33, 'n'));
  EXPECT_FALSE(decode().has_value());
  message.set_nonce(std::string(32, 'n'));
  message.set_publickey("\x05" + std::string(32, 'k'));
  EXPECT_FALSE(decode().has_value());
  EXPECT_FALSE(passkey::decode_primary_identity(as_bytes("\xff\xff\xff")).has_value());
  passkey::PrimaryIdentity zero;
  EXPECT_FALSE(passkey::request_key(key(kEphemeralPrivate), zero, kRef).has_value());
}

}  // namespace
}  // namespace posthorn::session
