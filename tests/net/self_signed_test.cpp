#include "posthorn/net/self_signed.h"

#include <gtest/gtest.h>
#include <mbedtls/x509_crt.h>

#include "posthorn/loop/loop.h"

namespace posthorn::net {
namespace {

/// mbedTLS's own reader, freed at the end.
struct Read {
  explicit Read(const std::string& pem) {
    mbedtls_x509_crt_init(&crt);
    status = mbedtls_x509_crt_parse(&crt, reinterpret_cast<const unsigned char*>(pem.c_str()),
                                    pem.size() + 1);
  }
  ~Read() { mbedtls_x509_crt_free(&crt); }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  /// Flags of X.509 verification against itself, for a host name.
  std::uint32_t verify(const char* name) {
    std::uint32_t flags = 0;
    mbedtls_x509_crt_verify(&crt, &crt, nullptr, name, &flags, nullptr, nullptr);
    return flags;
  }
  mbedtls_x509_crt crt{};
  int status = 0;
};

class SelfSigned : public testing::Test {
 protected:
  Result<std::string> make(CertificateWish wish) {
    wish.from = Wall::from_unix(1'700'000'000);
    wish.until = Wall::from_unix(4'000'000'000);
    return make_self_signed(random, *key, wish);
  }
  loop::SystemRandom random;
  Result<std::string> key = make_p256_key(random);
};

TEST_F(SelfSigned, NamesAndAddressesAndTimesAreWhatWasAsked) {
  const auto pem = make({{"posthorn.local", "posthorn"}, {"192.168.1.7", "fd00::7"}, {}, {}});
  ASSERT_TRUE(pem.has_value()) << to_string(pem.error());
  Read read(*pem);
  ASSERT_EQ(read.status, 0);
  EXPECT_EQ(read.verify("posthorn.local"), 0U);
  EXPECT_EQ(read.verify("posthorn"), 0U);
  EXPECT_EQ(read.verify("elsewhere.local"), unsigned{MBEDTLS_X509_BADCERT_CN_MISMATCH});
  EXPECT_EQ(read.crt.valid_from.year, 2023);
  EXPECT_EQ(read.crt.valid_to.year, 2096);
  EXPECT_EQ(read.crt.ca_istrue, 0);
  std::vector<std::string> addresses;
  for (const auto* name = &read.crt.subject_alt_names; name != nullptr; name = name->next) {
    if (name->buf.tag == 0x87) {
      addresses.emplace_back(reinterpret_cast<const char*>(name->buf.p), name->buf.len);
    }
  }
  ASSERT_EQ(addresses.size(), 2U);
  EXPECT_EQ(addresses[0], std::string("\xC0\xA8\x01\x07"));
  EXPECT_EQ(addresses[1].size(), 16U);
}

TEST_F(SelfSigned, ManyAddressesStillFitTheEncoding) {
  CertificateWish wish{{"posthorn.local"}, {}, {}, {}};
  for (int i = 0; i < 40; ++i) wish.addresses.push_back("10.0.0." + std::to_string(i));
  for (const std::size_t count : {15U, 18U, 19U, 40U}) {  // around 128 and 256 bytes of names
    CertificateWish some = wish;
    some.addresses.resize(count);
    const auto pem = make(some);
    ASSERT_TRUE(pem.has_value());
    Read read(*pem);
    EXPECT_EQ(read.status, 0) << count;
    EXPECT_EQ(read.verify("posthorn.local"), 0U) << count;
  }
}

TEST_F(SelfSigned, RefusesWhatIsNoNameAddressOrKey) {
  EXPECT_EQ(make({{"bad name"}, {}, {}, {}}).error().code, Errc::malformed);
  EXPECT_EQ(make({{}, {}, {}, {}}).error().code, Errc::malformed);
  EXPECT_EQ(make({{"box"}, {"300.1.1.1"}, {}, {}}).error().code, Errc::malformed);
  key = std::string("-----BEGIN NOTHING-----");
  EXPECT_EQ(make({{"box"}, {}, {}, {}}).error().code, Errc::malformed);
}

TEST_F(SelfSigned, BelongsToItsOwnKeyAlone) {
  const auto pem = make({{"box"}, {}, {}, {}});
  ASSERT_TRUE(pem.has_value());
  EXPECT_TRUE(belong_together(*pem, *key));
  EXPECT_FALSE(belong_together(*pem, *make_p256_key(random)));
  EXPECT_FALSE(belong_together("-----BEGIN NOTHING-----", *key));
  EXPECT_FALSE(belong_together(*pem, ""));
}

TEST_F(SelfSigned, ALongHostNameFitsItsSubject) {
  const std::string name = std::string(63, 'p') + ".local";
  const auto pem = make({{name}, {}, {}, {}});
  ASSERT_TRUE(pem.has_value()) << to_string(pem.error());
  EXPECT_EQ(Read(*pem).verify(name.c_str()), 0U);
}

}  // namespace
}  // namespace posthorn::net
