#include <gtest/gtest.h>

#include "posthorn/wire/names.h"
#include "simulator/test_client.h"

namespace posthorn::simulator {
namespace {

namespace names = wire::names;
using test::TestClient;
using wire::Node;

struct SimulatorLinking : testing::Test {
  test::FakeScheduler scheduler;
  test::SeededRandom random{3};
  Simulator sim{scheduler, random};
};

TEST_F(SimulatorLinking, LinksByQrAndLogsIn) {
  TestClient client(scheduler, random, sim);
  client.link("");
  EXPECT_EQ(client.pn.device, 1);
  EXPECT_TRUE(sim.connected(client.pn));
  EXPECT_TRUE(sim.connected(client.lid));
  EXPECT_TRUE(sim.violations().empty());
}

TEST_F(SimulatorLinking, GivesTheSecondClientOfAnAccountTheNextDeviceNumber) {
  TestClient first(scheduler, random, sim), second(scheduler, random, sim);
  first.link("");
  second.link(first.pn.user);
  EXPECT_EQ(second.pn, first.pn.with_device(2));
  const auto told = first.take(names::kNotification, names::kDevices);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->child(names::kDevices)->children().size(),
            4U);  // phone, two clients, signed list
}

TEST_F(SimulatorLinking, RefusesADeviceSignatureOverOtherBytes) {
  TestClient client(scheduler, random, sim);
  client.spoil_device_signature = true;
  client.adv_secret = random.bytes(32);
  client.connect();
  std::optional<Result<wire::Jid>> linked;
  sim.scan(client.qr(), "", [&](Result<wire::Jid> device) { linked = device; });
  client.settle();
  ASSERT_TRUE(linked);
  ASSERT_FALSE(*linked);
  EXPECT_EQ(linked->error().code, Errc::refused);
  EXPECT_EQ(sim.violations().size(), 1U);
}

TEST_F(SimulatorLinking, AnswersAScanOfAnUnknownCodeWithNotFound) {
  TestClient client(scheduler, random, sim);
  client.adv_secret = random.bytes(32);
  client.connect();
  std::string qr = client.qr();
  qr[qr.find('#') + 4] ^= 1;
  std::optional<Result<wire::Jid>> linked;
  sim.scan(qr, "", [&](Result<wire::Jid> device) { linked = device; });
  ASSERT_TRUE(linked && !*linked);
  EXPECT_EQ(linked->error().code, Errc::not_found);
}

TEST_F(SimulatorLinking, ClosesAfterTheLastRefHasExpired) {
  TestClient client(scheduler, random, sim);
  client.adv_secret = random.bytes(32);
  client.connect();
  scheduler.advance(seconds(159));
  EXPECT_TRUE(client.open());
  scheduler.advance(seconds(2));
  EXPECT_FALSE(client.open());
}

TEST_F(SimulatorLinking, RefusesTheLoginOfADeviceItDoesNotKnow) {
  TestClient client(scheduler, random, sim);
  client.link("");
  client.noise = wire::make_key_pair(random);
  client.log_in();
  const auto failure = client.take(names::kFailure);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->text_attr("reason"), "401");
}

TEST_F(SimulatorLinking, ReplacesTheOlderConnectionOfADevice) {
  TestClient client(scheduler, random, sim);
  client.link("");
  TestClient twin(scheduler, random, sim);
  twin.noise = client.noise;
  twin.pn = client.pn;
  twin.lid = client.lid;
  twin.connect();
  const auto error = client.take(names::kStreamError, names::kConflict);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->child(names::kConflict)->text_attr("type"), "replaced");
  EXPECT_FALSE(client.open());
  EXPECT_TRUE(sim.connected(client.pn));
}

TEST_F(SimulatorLinking, ResumesWithNoiseIk) {
  TestClient client(scheduler, random, sim);
  client.link("");
  client.resume = true;
  client.log_in_and_go_active();
  EXPECT_TRUE(client.open());
}

TEST_F(SimulatorLinking, UnlinksADeviceFromThePhone) {
  TestClient client(scheduler, random, sim);
  client.link("");
  ASSERT_TRUE(sim.unlink(client.pn));
  const auto error = client.take(names::kStreamError, names::kConflict);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->child(names::kConflict)->text_attr("type"), "device_removed");
  client.log_in();
  ASSERT_TRUE(client.take(names::kFailure));
}

TEST(SimulatorChains, WrongOnesAreRefusedByAClient) {
  for (const auto flaw : wire::kAllChainFlaws) {
    test::FakeScheduler scheduler;
    scheduler.wall_at_start.trusted = true;
    test::SeededRandom random{5};
    Options options;
    options.chain_flaw = flaw;
    Simulator sim(scheduler, random, options);
    TestClient client(scheduler, random, sim);
    client.adv_secret = random.bytes(32);
    client.connect();
    EXPECT_FALSE(client.open()) << wire::to_string(flaw);
    ASSERT_TRUE(client.error()) << wire::to_string(flaw);
    EXPECT_EQ(client.error()->code, Errc::crypto) << wire::to_string(flaw);
  }
}

TEST(SimulatorFraming, EveryWayOfCuttingFramesIsTaken) {
  using Framing = wire::ServerChannel::Framing;
  for (const auto framing : {Framing::merged, Framing::split, Framing::fragmented}) {
    test::FakeScheduler scheduler;
    test::SeededRandom random{6};
    Options options;
    options.framing = framing;
    options.compress = true;
    Simulator sim(scheduler, random, options);
    TestClient client(scheduler, random, sim);
    client.link("");
    EXPECT_TRUE(client.open());
  }
}

}  // namespace
}  // namespace posthorn::simulator
