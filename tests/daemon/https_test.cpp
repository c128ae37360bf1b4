#include "daemon/https.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "posthorn/api/green_api_names.h"
#include "posthorn/base/json.h"
#include "support/fakes.h"

namespace posthorn::daemon {
namespace {

using Texts = std::vector<std::string>;

class Certificate : public testing::Test {
 protected:
  BoxCertificate load(Wall now, const Texts& names = {"posthorn.local"},
                      const Texts& addresses = {"10.0.0.7"}) {
    auto loaded = load_certificate(blobs, random, {names, addresses}, now);
    EXPECT_TRUE(loaded.has_value());
    return loaded ? *loaded : BoxCertificate{};
  }
  static Wall day(int count) {
    return Wall::from_unix(1'800'000'000 + std::int64_t{count} * 86400);
  }

  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs{scheduler};
  test::SeededRandom random;
};

TEST_F(Certificate, IsMadeOnceAndKept) {
  const BoxCertificate first = load(day(0));
  EXPECT_EQ(load(day(100)).pem.certificate, first.pem.certificate);
}

TEST_F(Certificate, IsRenewedWithItsKeyTwoMonthsBeforeItsEnd) {
  const BoxCertificate first = load(day(0));
  EXPECT_EQ(load(day(760)).pem.certificate, first.pem.certificate);
  const BoxCertificate second = load(day(765));
  EXPECT_NE(second.pem.certificate, first.pem.certificate);
  EXPECT_EQ(second.pem.key, first.pem.key);
  EXPECT_EQ(second.authority.certificate, first.authority.certificate);
  EXPECT_GT(second.until, first.until);
}

TEST_F(Certificate, ANewNameOrAddressMakesANewOneAndAGoneAddressDoesNot) {
  const BoxCertificate first = load(day(0));
  EXPECT_EQ(load(day(0), {"posthorn.local"}, {}).pem.certificate, first.pem.certificate);
  EXPECT_NE(load(day(0), {"posthorn.local"}, {"10.0.0.8"}).pem.certificate, first.pem.certificate);
  EXPECT_EQ(load(day(0), {"posthorn.local", "till"}, {"10.0.0.8"}).called.names,
            (Texts{"posthorn.local", "till"}));
}

/// Tills trust the authority: it outlives each of the server's certificates.
TEST_F(Certificate, KeepsItsAuthorityWhateverTheRouterGives) {
  const BoxCertificate first = load(day(0));
  for (const char* given : {"10.0.0.8", "192.168.7.1", "172.31.0.9", "fd12::7", "169.254.3.4"}) {
    const BoxCertificate next = load(day(1), {"posthorn.local", "till.local"}, {given});
    EXPECT_EQ(next.authority.certificate, first.authority.certificate) << given;
    EXPECT_TRUE(next.pem.certificate.ends_with(first.authority.certificate)) << given;
  }
  EXPECT_EQ(load(day(5000)).authority.certificate, first.authority.certificate);
}

TEST_F(Certificate, MakesAnAuthorityOfTheSameKeyForWhatTheOldMayNotSpeakFor) {
  const BoxCertificate first = load(day(0));
  const BoxCertificate renamed = load(day(1), {"posthorn.local", "till"});
  EXPECT_NE(renamed.authority.certificate, first.authority.certificate);
  EXPECT_EQ(renamed.authority.key, first.authority.key);
  EXPECT_NE(load(day(2), {"posthorn.local", "till"}, {"198.51.100.7"}).authority.certificate,
            renamed.authority.certificate);
  for (const char* outside : {"172.32.0.1", "100.128.0.1", "11.0.0.1", "2001:db8::1"}) {
    const BoxCertificate before = load(day(3), {"posthorn.local"}, {"10.0.0.7"});
    EXPECT_NE(load(day(3), {"posthorn.local"}, {outside}).authority.certificate,
              before.authority.certificate)
        << outside;
  }
}

/// The first start of a box without a clock: the system says 1970, Clock answers with its floor.
TEST_F(Certificate, AClockOf1970StillMakesAOneThatIsValidToday) {
  scheduler.wall_at_start = Wall::from_unix(0, false);
  const Wall built = day(0);
  const Clock clock(scheduler, built);
  const BoxCertificate made = load(clock.now());
  EXPECT_LT(made.from, built);
  EXPECT_GT(made.until, day(800));
}

TEST_F(Certificate, AClockThatWasWrongIsMendedWhenTheTimeIsKnown) {
  const BoxCertificate in_the_future = load(day(5000));
  const BoxCertificate mended = load(day(0));
  EXPECT_LT(mended.until, in_the_future.from);
  // And three years on a shelf: the certificate of the floor has ended when the time is known.
  EXPECT_GT(load(day(1100)).until, day(1800));
}

TEST_F(Certificate, WhatIsKeptAndDamagedIsMadeAnew) {
  load(day(0));
  blobs.values["https/certificate"] = to_bytes("{\"key\": 7");
  EXPECT_FALSE(load(day(0)).pem.certificate.empty());
  blobs.values["https/certificate"] = to_bytes("{\"authority\": \"x\", \"authorityKey\": \"y\"}");
  EXPECT_TRUE(load(day(0)).authority.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
}

struct NoApi final : api::RequestHandler {
  [[nodiscard]] api::Terms terms(const api::Request&) override { return {}; }
  void handle(api::Request, api::Reply reply) override { reply.send({.body = "", .headers = {}}); }
};

class Renewal : public Certificate {
 protected:
  std::unique_ptr<Https> start(std::uint16_t port) {
    api::ServerOptions options;
    options.listen = "127.0.0.1";
    options.port = port;
    auto https = Https::start({loop, blobs, clock, random, no_api}, options);
    return https ? std::move(*https) : nullptr;
  }
  void let_it_end_soon() {
    auto kept = json::parse(as_text(blobs.values["https/certificate"]));
    ASSERT_TRUE(kept.has_value());
    (*kept)["until"] = static_cast<::Json::Int64>(clock.now().unix_seconds() + 86400);
    blobs.values["https/certificate"] = to_bytes(json::write(*kept));
  }
  loop::Loop loop;
  Clock clock{scheduler, day(0)};
  NoApi no_api;
};

TEST_F(Renewal, ChangesTheCertificateOnTheSamePortWithoutARestart) {
  const auto https = start(0);
  ASSERT_NE(https, nullptr);
  const std::uint16_t port = https->port();
  const BoxCertificate before = https->served();
  https->look();
  EXPECT_EQ(https->served().pem.certificate, before.pem.certificate);
  let_it_end_soon();
  https->look();
  EXPECT_NE(https->served().pem.certificate, before.pem.certificate);
  EXPECT_EQ(https->certificate(), before.authority.certificate);
  EXPECT_TRUE(https->listening());
  EXPECT_EQ(https->port(), port);
}

/// Clients with a fixed host look for its name in the certificate.
TEST_F(Renewal, HasTheNamesThatItIsGiven) {
  api::ServerOptions options;
  options.listen = "127.0.0.1";
  const Texts names = api::green_api_names({"box.shop.example", "api.green-api.com"});
  const auto https = Https::start({loop, blobs, clock, random, no_api, names}, options);
  ASSERT_TRUE(https);
  const Texts& called = (*https)->served().called.names;
  EXPECT_EQ(called.front(), "posthorn.local");
  EXPECT_EQ(called.back(), "api.green-api.com");
  EXPECT_EQ(std::count(called.begin(), called.end(), "box.shop.example"), 0);
  const std::string first = (*https)->served().pem.certificate;
  (*https)->look();
  EXPECT_EQ((*https)->served().pem.certificate, first);
}

TEST_F(Renewal, APortThatIsTakenIsTriedAgain) {
  auto first = start(0);
  ASSERT_NE(first, nullptr);
  const auto second = start(first->port());
  ASSERT_NE(second, nullptr);
  EXPECT_FALSE(second->listening());
  second->look();
  EXPECT_FALSE(second->listening());
  first.reset();
  second->look();
  EXPECT_TRUE(second->listening());
}

TEST_F(Renewal, AnUnusableCertificateIsMadeAnew) {
  const CalledAs called = called_as("127.0.0.1");
  const BoxCertificate before = load(day(0), called.names, called.addresses);
  auto kept = json::parse(as_text(blobs.values["https/certificate"]));
  ASSERT_TRUE(kept.has_value());
  (*kept)["certificate"] = "-----BEGIN NOTHING-----";
  blobs.values["https/certificate"] = to_bytes(json::write(*kept));
  const auto https = start(0);
  ASSERT_NE(https, nullptr);
  EXPECT_NE(https->served().pem.certificate, "-----BEGIN NOTHING-----");
  EXPECT_EQ(https->certificate(), before.authority.certificate);
}

TEST(CalledAs, BeginsWithTheNameThatTheManualSaysAndHasWhatIsServed) {
  EXPECT_EQ(called_as("0.0.0.0").names.front(), "posthorn.local");
  for (const std::string& address : called_as("::").addresses) {
    EXPECT_FALSE(address.starts_with("127.") || address == "::1" || address.starts_with("fe80"));
    // A provider's prefix changes: not for that is a certificate made anew.
    EXPECT_FALSE(address.starts_with("2") && address.find(':') != std::string::npos);
  }
  EXPECT_EQ(called_as("192.168.1.20").addresses, Texts{"192.168.1.20"});
}

}  // namespace
}  // namespace posthorn::daemon
