#include <gtest/gtest.h>

#include "posthorn/wire/names.h"
#include "posthorn/wire/wa.pb.h"
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

TEST_F(SimulatorLinking, LinksAClientThatSendsTheAccountsKeyBackAndRemarksIt) {
  TestClient client(scheduler, random, sim);
  client.keep_account_key = true;
  client.link("");
  EXPECT_TRUE(sim.connected(client.pn));
  EXPECT_TRUE(sim.violations().empty());
  ASSERT_EQ(sim.remarks().size(), 1U);
  EXPECT_EQ(sim.remarks()[0].what, "device-identity with the account signature key");
}

TEST_F(SimulatorLinking, SaysInPairSuccessWhetherTheAccountIsMovedToLids) {
  const auto props = [this](const std::string& account) {
    TestClient client(scheduler, random, sim);
    client.hold_pair_success = true;
    client.adv_secret = random.bytes(32);
    client.connect();
    sim.scan(client.qr(), account, [](Result<wire::Jid>) {});
    const auto stanza = client.take(names::kIq, names::kPairSuccess);
    wa::ClientPairingProps said;
    EXPECT_TRUE(said.ParseFromString(
        to_string(stanza->child(names::kPairSuccess)->child("client-props")->bytes())));
    return said.ischatdblidmigrated();
  };
  const AccountInfo account = sim.add_account();
  EXPECT_TRUE(props(account.pn.user));
  sim.control("PATCH", "/v1/accounts/" + account.pn.user, R"({"lid_migrated":false})",
              [](const Simulator::Response&) {});
  EXPECT_FALSE(props(account.pn.user));
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

TEST_F(SimulatorLinking, AClientThatLogsOutIsUnlinked) {
  TestClient client(scheduler, random, sim);
  client.link("");
  const Node answer =
      client.ask(Node(names::kIq, {{"type", "set"}, {"xmlns", names::kMd}},
                      std::vector{Node("remove-companion-device",
                                       {{"jid", client.pn}, {"reason", "user_initiated"}})}));
  EXPECT_EQ(answer.text_attr("type"), "result");
  EXPECT_TRUE(client.take(names::kStreamError, names::kConflict));
  client.log_in();
  EXPECT_TRUE(client.take(names::kFailure));
}

TEST_F(SimulatorLinking, CanForgeWhatThePhoneSigns) {
  const auto pair_success = [this](LinkFlaw flaw, TestClient& client) {
    client.hold_pair_success = true;
    client.adv_secret = random.bytes(32);
    client.connect();
    sim.scan(
        client.qr(), "", [](Result<wire::Jid>) {}, flaw);
    const auto stanza = client.take(names::kIq, names::kPairSuccess);
    EXPECT_TRUE(stanza);
    wa::ADVSignedDeviceIdentityHMAC outer;
    const ByteView bytes =
        stanza->child(names::kPairSuccess)->child(names::kDeviceIdentity)->bytes();
    EXPECT_TRUE(outer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    return outer;
  };
  const auto hmac_good = [](const TestClient& client, const auto& outer) {
    return as_text(crypto::hmac_sha256(client.adv_secret, as_bytes(outer.details()))) ==
           outer.hmac();
  };
  const auto signature_good = [](TestClient& client, const auto& outer) {
    wa::ADVSignedDeviceIdentity identity;
    EXPECT_TRUE(identity.ParseFromString(outer.details()));
    const auto key = signal::parse_public_key(as_bytes(identity.accountsignaturekey()));
    const Bytes covered = concat({Bytes{std::byte{6}, std::byte{0}}, as_bytes(identity.details()),
                                  client.store.own->key.public_key});
    return signal::verify(*key, covered, as_bytes(identity.accountsignature()));
  };
  for (const auto flaw :
       {LinkFlaw::none, LinkFlaw::hmac, LinkFlaw::account_signature, LinkFlaw::other_identity}) {
    TestClient client(scheduler, random, sim);
    const auto outer = pair_success(flaw, client);
    EXPECT_EQ(hmac_good(client, outer), flaw != LinkFlaw::hmac);
    EXPECT_EQ(signature_good(client, outer), flaw == LinkFlaw::none || flaw == LinkFlaw::hmac);
  }
}

TEST_F(SimulatorLinking, PushesToAClientThatIsNotLinkedYet) {
  TestClient client(scheduler, random, sim);
  client.adv_secret = random.bytes(32);
  client.connect();
  const auto number = sim.journal().back().connection;
  ASSERT_TRUE(sim.push_to_connection(
      number, Node(names::kNotification, {{"type", "companion_reg_refresh"}, {"id", "n1"}})));
  EXPECT_TRUE(client.take(names::kNotification));
}

/// The companion's half of chapter 03 section 4, as far as the phone can tell.
struct CodeClient {
  std::string code;
  signal::KeyPair ephemeral;

  Node hello(const TestClient& client, const std::string& phone, Random& random) {
    const Bytes salt = random.bytes(32), iv = random.bytes(16);
    ephemeral = signal::make_key_pair(random);
    const Bytes key = crypto::pbkdf2_sha256(as_bytes(code), salt, 131072, 32);
    return Node(
        names::kIq, {{"type", "set"}, {"xmlns", names::kMd}},
        std::vector{Node(
            names::kLinkCodeCompanionReg,
            {{"jid", wire::Jid{phone, "s.whatsapp.net", 0}}, {"stage", "companion_hello"}},
            std::vector{
                Node("link_code_pairing_wrapped_companion_ephemeral_pub", {},
                     concat({salt, iv, crypto::aes_ctr(key, iv, ephemeral.public_key)})),
                Node("companion_server_auth_key_pub", {}, to_bytes(client.noise.public_key))})});
  }

  Node finish(TestClient& client, const Node& primary_hello, Random& random) {
    const Node& child = *primary_hello.child(names::kLinkCodeCompanionReg);
    const ByteView wrapped =
        child.child("link_code_pairing_wrapped_primary_ephemeral_pub")->bytes();
    const ByteView identity = child.child("primary_identity_pub")->bytes();
    const Bytes key = crypto::pbkdf2_sha256(as_bytes(code), wrapped.first(32), 131072, 32);
    const Bytes primary = crypto::aes_ctr(key, wrapped.subspan(32, 16), wrapped.subspan(48));
    const auto own = client.store.own->key;
    const auto shared = crypto::x25519(ephemeral.private_key, primary);
    const auto shared_identity = crypto::x25519(own.private_key, identity);
    const Bytes extra = random.bytes(32), salt = random.bytes(32), nonce = random.bytes(12);
    const Bytes bundle_key = crypto::hkdf_sha256(
        *shared, salt, as_bytes("link_code_pairing_key_bundle_encryption_key"), 32);
    const Bytes sealed =
        crypto::aes_gcm_encrypt(bundle_key, nonce, {}, concat({own.public_key, identity, extra}));
    client.adv_secret = crypto::hkdf_sha256(concat({*shared, *shared_identity, extra}), {},
                                            as_bytes("adv_secret"), 32);
    return Node(names::kIq, {{"type", "set"}, {"xmlns", names::kMd}},
                std::vector{Node(
                    names::kLinkCodeCompanionReg, {{"stage", "companion_finish"}},
                    std::vector{Node("link_code_pairing_wrapped_key_bundle", {},
                                     concat({salt, nonce, sealed})),
                                Node("companion_identity_public", {}, to_bytes(own.public_key)),
                                *child.child("link_code_pairing_ref")})});
  }
};

TEST_F(SimulatorLinking, LinksByTheCodeTypedOnThePhoneAndRefusesAnother) {
  const AccountInfo shop = sim.add_account({"5511990000009", "Shop"});
  for (const char* typed : {"17JC8J7N", "17JC-8J7Z"}) {
    TestClient client(scheduler, random, sim);
    client.connect();
    CodeClient companion{"17JC8J7N", {}};
    const Node ref = client.ask(companion.hello(client, shop.pn.user, random));
    ASSERT_EQ(ref.text_attr("type"), "result");
    std::optional<Result<wire::Jid>> linked;
    sim.type_link_code(shop.pn.user, typed, [&](Result<wire::Jid> device) { linked = device; });
    const auto primary = client.take(names::kNotification);
    ASSERT_TRUE(primary);
    const Node answer = client.ask(companion.finish(client, *primary, random));
    client.settle();
    ASSERT_TRUE(linked);
    if (std::string_view(typed) == "17JC8J7N") {
      EXPECT_EQ(answer.text_attr("type"), "result");
      ASSERT_TRUE(*linked);
      EXPECT_EQ(**linked, shop.pn.with_device(1));
      client.log_in_and_go_active();
    } else {
      EXPECT_EQ(answer.text_attr("type"), "error");
      ASSERT_FALSE(*linked);
      EXPECT_EQ(linked->error().code, Errc::refused);
    }
  }
}

TEST_F(SimulatorLinking, ACodeNobodyWaitsForIsNotFound) {
  const AccountInfo shop = sim.add_account({"5511990000009", "Shop"});
  std::optional<Result<wire::Jid>> linked;
  sim.type_link_code(shop.pn.user, "17JC8J7N", [&](Result<wire::Jid> device) { linked = device; });
  ASSERT_TRUE(linked && !*linked);
  EXPECT_EQ(linked->error().code, Errc::not_found);
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
