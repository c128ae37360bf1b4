#include "posthorn/wire/certificate.h"

#include <gtest/gtest.h>

#include "wire/handshake_vectors.h"

namespace posthorn::wire {
namespace {

using test::kNow;
using test::kServerStatic;
using test::kTestRoot;

ChainRecipe recipe(ChainFlaw flaw = ChainFlaw::none) {
  return {kTestRoot,        test::kIntermediate, kServerStatic.public_key,
          test::kNotBefore, test::kNotAfter,     flaw};
}

Result<ServerCertificate> check(ByteView chain, Wall now = kNow) {
  return verify_certificate_chain(chain, kTestRoot.public_key, kServerStatic.public_key, now,
                                  test::xeddsa_verify);
}

bool is_about_time(ChainFlaw flaw) {
  return flaw == ChainFlaw::expired || flaw == ChainFlaw::not_yet_valid ||
         flaw == ChainFlaw::without_window;
}

TEST(Certificate, SignaturesAreThoseOfTheVectors) {
  EXPECT_EQ(hex_encode(test::xeddsa_sign(test::kClientEphemeral.private_key, as_bytes("abc"))),
            "8f00a5ff5e64262d8d80ac33f6c4b53fcbd56e1c254041b353af5fd22eb17916688d56f6eaa41febe591fd"
            "62e157de94c4a6f1ef4a84b93599d084ca36364687");
}

TEST(Certificate, BuildsTheWorkedExample) {
  EXPECT_EQ(hex_encode(build_certificate_chain(recipe(), test::xeddsa_sign)),
            hex_encode(test::kChain));
}

TEST(Certificate, AcceptsTheWorkedExample) {
  const auto certificate = check(test::kChain);
  ASSERT_TRUE(certificate) << certificate.error().detail;
  EXPECT_EQ(certificate->leaf_key, kServerStatic.public_key);
  EXPECT_EQ(certificate->not_before, test::kNotBefore);
  EXPECT_EQ(certificate->not_after, test::kNotAfter);
  EXPECT_TRUE(certificate->window_checked);
}

TEST(Certificate, RefusesEveryFlaw) {
  for (const ChainFlaw flaw : kAllChainFlaws) {
    const Bytes chain = build_certificate_chain(recipe(flaw), test::xeddsa_sign);
    const auto certificate = check(chain);
    ASSERT_FALSE(certificate) << to_string(flaw);
    EXPECT_EQ(certificate.error().code, Errc::crypto) << to_string(flaw);
    EXPECT_TRUE(certificate.error().detail.starts_with("certificate: ")) << to_string(flaw);
  }
}

TEST(Certificate, FailsForTheReasonThatIsWrong) {
  const std::pair<ChainFlaw, const char*> reasons[] = {
      {ChainFlaw::expired, "expired"},
      {ChainFlaw::not_yet_valid, "not valid yet"},
      {ChainFlaw::without_window, "expired"},
      {ChainFlaw::other_leaf_key, "the leaf is for another server key"},
      {ChainFlaw::leaf_signature, "the intermediate did not sign the leaf"},
      {ChainFlaw::intermediate_signature, "the root did not sign the intermediate"},
      {ChainFlaw::leaf_issuer, "the leaf names another issuer"},
      {ChainFlaw::intermediate_issuer, "the intermediate names another issuer"},
      {ChainFlaw::no_leaf, "leaf is missing"},
      {ChainFlaw::no_intermediate, "intermediate is missing"},
      {ChainFlaw::short_signature, "leaf signature is not 64 bytes"},
      {ChainFlaw::short_key, "intermediate key is not 32 bytes"},
  };
  static_assert(std::size(reasons) == std::tuple_size_v<decltype(kAllChainFlaws)>);
  for (const auto& [flaw, reason] : reasons) {
    const auto certificate = check(build_certificate_chain(recipe(flaw), test::xeddsa_sign));
    ASSERT_FALSE(certificate);
    EXPECT_EQ(certificate.error().detail, std::string("certificate: ") + reason);
  }
}

TEST(Certificate, LooksAtTheWindowOnlyWithATrustedClock) {
  const Wall boot_in_1970 = Wall::from_unix(100, false);
  for (const ChainFlaw flaw : kAllChainFlaws) {
    const auto certificate =
        check(build_certificate_chain(recipe(flaw), test::xeddsa_sign), boot_in_1970);
    EXPECT_EQ(certificate.has_value(), is_about_time(flaw)) << to_string(flaw);
    if (!certificate) continue;
    EXPECT_FALSE(certificate->window_checked);
    EXPECT_FALSE(check_window(*certificate, kNow)) << "found out later: " << to_string(flaw);
  }
}

TEST(Certificate, WindowIncludesItsEnds) {
  const ServerCertificate certificate{{}, 100, 200, false};
  EXPECT_FALSE(check_window(certificate, Wall::from_unix(99)));
  EXPECT_TRUE(check_window(certificate, Wall::from_unix(100)));
  EXPECT_TRUE(check_window(certificate, Wall::from_unix(200)));
  EXPECT_FALSE(check_window(certificate, Wall::from_unix(201)));
}

TEST(Certificate, RefusesAnotherRootAndAnotherServer) {
  EXPECT_FALSE(verify_certificate_chain(test::kChain, kWhatsAppRootKey, kServerStatic.public_key,
                                        kNow, test::xeddsa_verify));
  EXPECT_FALSE(verify_certificate_chain(test::kChain, kTestRoot.public_key,
                                        test::kClientStatic.public_key, kNow, test::xeddsa_verify));
}

TEST(Certificate, RefusesEveryChangedByte) {
  for (std::size_t at = 0; at < test::kChain.size(); ++at) {
    for (const std::byte bit : {std::byte{1}, std::byte{0x80}}) {
      Bytes changed = test::kChain;
      changed[at] ^= bit;
      EXPECT_FALSE(check(changed)) << "byte " << at;
    }
  }
}

TEST(Certificate, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < test::kChain.size(); ++size) {
    EXPECT_FALSE(check(ByteView(test::kChain).first(size))) << size;
  }
}

TEST(Certificate, PinsWhatsAppsRoot) {
  EXPECT_EQ(hex_encode(kWhatsAppRootKey),
            "142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b");
}

}  // namespace
}  // namespace posthorn::wire
