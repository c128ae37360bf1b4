#include "posthorn/net/certificate.h"

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
  /// Flags of X.509 verification against an authority, for a host name.
  std::uint32_t verify(Read& authority, const char* name) {
    std::uint32_t flags = 0;
    mbedtls_x509_crt_verify(&crt, &authority.crt, nullptr, name, &flags, nullptr, nullptr);
    return flags;
  }
  mbedtls_x509_crt crt{};
  int status = 0;
};

class Certificates : public testing::Test {
 protected:
  static constexpr std::int64_t kFrom = 1'700'000'000;
  static constexpr std::int64_t kUntil = 4'000'000'000;

  Result<std::string> make(CertificateWish wish) {
    wish.from = Wall::from_unix(kFrom);
    wish.until = Wall::from_unix(kUntil);
    return make_certificate(random, authority, *key, wish);
  }
  Result<std::string> make_named(AuthorityWish wish) {
    wish.from = Wall::from_unix(kFrom);
    wish.until = Wall::from_unix(kUntil);
    return make_authority(random, authority.key, wish);
  }
  std::uint32_t verify(const std::string& pem, const char* name) {
    Read trusted(authority.certificate);
    return Read(pem).verify(trusted, name);
  }

  loop::SystemRandom random;
  Result<std::string> key = make_p256_key(random);
  CertifiedKey authority = [this] {
    CertifiedKey made{*make_p256_key(random), ""};
    made.certificate = *make_authority(random, made.key,
                                       {"Posthorn 3f9a2c",
                                        {"local", "posthorn"},
                                        {"192.168.0.0/16", "fc00::/7"},
                                        Wall::from_unix(kFrom),
                                        Wall::from_unix(kUntil)});
    return made;
  }();
};

TEST_F(Certificates, NamesAndAddressesAndTimesAreWhatWasAsked) {
  const auto pem = make({{"posthorn.local", "posthorn"}, {"192.168.1.7", "fd00::7"}, {}, {}});
  ASSERT_TRUE(pem.has_value()) << to_string(pem.error());
  Read read(*pem);
  ASSERT_EQ(read.status, 0);
  EXPECT_EQ(verify(*pem, "posthorn.local"), 0U);
  EXPECT_EQ(verify(*pem, "posthorn"), 0U);
  EXPECT_EQ(verify(*pem, "elsewhere.local"), unsigned{MBEDTLS_X509_BADCERT_CN_MISMATCH});
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

TEST_F(Certificates, ManyAddressesStillFitTheEncoding) {
  CertificateWish wish{{"posthorn.local"}, {}, {}, {}};
  for (int i = 0; i < 40; ++i) wish.addresses.push_back("10.0.0." + std::to_string(i));
  for (const std::size_t count : {15U, 18U, 19U, 40U}) {  // around 128 and 256 bytes of names
    CertificateWish some = wish;
    some.addresses.resize(count);
    const auto pem = make(some);
    ASSERT_TRUE(pem.has_value());
    Read read(*pem);
    EXPECT_EQ(read.status, 0) << count;
    EXPECT_EQ(verify(*pem, "posthorn.local"), 0U) << count;
  }
}

TEST_F(Certificates, RefusesWhatIsNoNameAddressOrKey) {
  EXPECT_EQ(make({{"bad name"}, {}, {}, {}}).error().code, Errc::malformed);
  EXPECT_EQ(make({{}, {}, {}, {}}).error().code, Errc::malformed);
  EXPECT_EQ(make({{"box"}, {"300.1.1.1"}, {}, {}}).error().code, Errc::malformed);
  key = std::string("-----BEGIN NOTHING-----");
  EXPECT_EQ(make({{"box"}, {}, {}, {}}).error().code, Errc::malformed);
}

TEST_F(Certificates, BelongsToItsOwnKeyAlone) {
  const auto pem = make({{"box"}, {}, {}, {}});
  ASSERT_TRUE(pem.has_value());
  EXPECT_TRUE(belong_together(*pem, *key));
  EXPECT_FALSE(belong_together(*pem, *make_p256_key(random)));
  EXPECT_FALSE(belong_together("-----BEGIN NOTHING-----", *key));
  EXPECT_FALSE(belong_together(*pem, ""));
}

TEST_F(Certificates, ALongHostNameFitsItsSubject) {
  const std::string name = std::string(63, 'p') + ".local";
  const auto pem = make({{name}, {}, {}, {}});
  ASSERT_TRUE(pem.has_value()) << to_string(pem.error());
  EXPECT_EQ(verify(*pem, name.c_str()), 0U);
}

TEST_F(Certificates, AnAuthorityNamesWhatItMaySpeakForAndSignsServersOnly) {
  Read read(authority.certificate);
  ASSERT_EQ(read.status, 0);
  EXPECT_EQ(read.crt.ca_istrue, 1);
  EXPECT_EQ(read.crt.max_pathlen, 1);  // mbedTLS's form of a path length of 0
  const std::string der(reinterpret_cast<const char*>(read.crt.raw.p), read.crt.raw.len);
  const std::string local = "\x30\x07\x82\x05local";
  const std::string network("\x30\x0A\x87\x08\xC0\xA8\0\0\xFF\xFF\0\0", 12);
  EXPECT_NE(der.find(local), std::string::npos);
  EXPECT_NE(der.find(network), std::string::npos);
}

TEST_F(Certificates, AnAuthorityOfTheSameKeyTrustsWhatTheOneBeforeSigned) {
  const auto pem = make({{"posthorn.local"}, {}, {}, {}});
  const auto renewed = make_named({"Posthorn 3f9a2c", {"local", "till"}, {"10.0.0.0/8"}, {}, {}});
  ASSERT_TRUE(pem && renewed);
  Read trusted(*renewed);
  EXPECT_EQ(Read(*pem).verify(trusted, "posthorn.local"), 0U);
}

TEST_F(Certificates, AnAuthorityForNothingThatExistsIsRefused) {
  for (const char* network : {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/x", "box/8", "/8"}) {
    const auto made = make_named({"Posthorn", {"local"}, {network}, {}, {}});
    ASSERT_FALSE(made) << network;
    EXPECT_EQ(made.error().code, Errc::malformed);
  }
  EXPECT_FALSE(make_named({"Posthorn", {"bad name"}, {}, {}, {}}));
}

}  // namespace
}  // namespace posthorn::net
