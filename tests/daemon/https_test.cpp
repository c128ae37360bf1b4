#include "daemon/https.h"

#include <gtest/gtest.h>

#include "posthorn/base/json.h"
#include "support/fakes.h"

namespace posthorn::daemon {
namespace {

using Texts = std::vector<std::string>;

class Certificate : public testing::Test {
 protected:
  BoxCertificate load(Wall now, const Texts& names = {"posthorn.local"},
                      const Texts& addresses = {"10.0.0.7"}) {
    auto loaded = load_certificate(blobs, random, names, addresses, now);
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
  EXPECT_GT(second.until, first.until);
}

TEST_F(Certificate, ANewNameOrAddressMakesANewOneAndAGoneAddressDoesNot) {
  const BoxCertificate first = load(day(0));
  EXPECT_EQ(load(day(0), {"posthorn.local"}, {}).pem.certificate, first.pem.certificate);
  EXPECT_NE(load(day(0), {"posthorn.local"}, {"10.0.0.8"}).pem.certificate, first.pem.certificate);
  EXPECT_EQ(load(day(0), {"posthorn.local", "till"}, {"10.0.0.8"}).names,
            (Texts{"posthorn.local", "till"}));
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
}

struct NoApi final : api::RequestHandler {
  [[nodiscard]] std::size_t body_limit(const api::Request&) const override { return 0; }
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
  const std::string before = https->certificate();
  https->look();
  EXPECT_EQ(https->certificate(), before);
  let_it_end_soon();
  https->look();
  EXPECT_NE(https->certificate(), before);
  EXPECT_TRUE(https->listening());
  EXPECT_EQ(https->port(), port);
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
  load(day(0), own_names(), own_addresses());
  auto kept = json::parse(as_text(blobs.values["https/certificate"]));
  ASSERT_TRUE(kept.has_value());
  (*kept)["certificate"] = "-----BEGIN NOTHING-----";
  blobs.values["https/certificate"] = to_bytes(json::write(*kept));
  const auto https = start(0);
  ASSERT_NE(https, nullptr);
  EXPECT_NE(https->certificate(), "-----BEGIN NOTHING-----");
}

TEST(OwnNames, BeginWithTheNameThatTheManualSays) {
  EXPECT_EQ(own_names().front(), "posthorn.local");
  for (const std::string& address : own_addresses()) {
    EXPECT_FALSE(address.starts_with("127.") || address == "::1" || address.starts_with("fe80"));
  }
}

}  // namespace
}  // namespace posthorn::daemon
