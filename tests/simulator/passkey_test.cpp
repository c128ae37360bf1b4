#include <gtest/gtest.h>

#include "posthorn/base/base64url.h"
#include "posthorn/base/crypto.h"
#include "posthorn/wire/names.h"
#include "posthorn/wire/passkey.pb.h"
#include "simulator/passkey.h"
#include "simulator/stanzas.h"
#include "simulator/test_client.h"

// The server must see each thing that a client can do wrong: otherwise a client that sends nonsense
// would be linked here and nowhere else.
namespace posthorn::simulator {
namespace {

namespace names = wire::names;
using test::TestClient;
using wire::Node;

struct SimulatorPasskey : testing::Test {
  SimulatorPasskey() {
    phone = sim.add_account().pn.user;
    EXPECT_TRUE(sim.set_passkey(phone, PasskeyFlaw::none));
    client.adv_secret = random.bytes(32);
    client.connect();
    sim.scan(client.qr(), phone, [this](Result<wire::Jid> device) { linked = device; });
  }

  static Node leaf(const char* tag, ByteView bytes) { return {tag, {}, to_bytes(bytes)}; }
  Node ask(const char* type, Node child) {
    return client.ask(
        Node(names::kIq, {{"type", type}, {"xmlns", "md"}}, std::vector{std::move(child)}));
  }
  json::Value options() {
    const auto question = client.take(names::kNotification, "passkey_request_options");
    if (!question) return {};
    return *json::parse(as_text(question->child("passkey_request_options")->bytes()));
  }
  /// What the server takes, of what a browser gives.
  static std::string reduced(const json::Value& answer) {
    json::Value out;
    for (const char* name : {"id", "rawId", "type", "response"}) out[name] = answer[name];
    return json::write(out);
  }
  Bytes payload() {
    ephemeral = signal::make_key_pair(random);
    wa::CompanionEphemeralIdentity identity;
    identity.set_publickey(std::string(as_text(ephemeral.public_key)));
    identity.set_devicetype(device_type);
    identity.set_ref(ref);
    wa::ProloguePayload out;
    out.set_companionephemeralidentity(identity.SerializeAsString());
    const auto hash = crypto::sha256(concat({as_bytes(out.companionephemeralidentity()), nonce}));
    out.mutable_commitment()->set_hash(std::string(as_text(hash)));
    return to_bytes(out.SerializeAsString());
  }
  void get_ref() {
    const Node given = ask("get", Node("ref"));
    ref = std::string(as_text(given.child("ref")->bytes()));
  }
  /// The type of the answer.
  std::string send_prologue(const json::Value& answer, std::optional<Bytes> proof_secret = {}) {
    const Bytes bytes = payload();
    const std::string text = reduced(answer);
    std::vector<Node> children{leaf("credential_id", *base64_decode(answer["rawId"].asString())),
                               leaf("webauthn_assertion", as_bytes(text)),
                               leaf("prologue_payload", bytes)};
    if (proof_secret) {
      const Bytes key =
          crypto::hkdf_sha256(*proof_secret, {}, as_bytes("shortcake-passkey-handoff-v1"), 32);
      children.push_back(leaf("pairing_handoff_proof", crypto::hmac_sha256(key, bytes)));
    }
    return ask("set", Node("passkey_prologue", {}, std::move(children))).text_attr("type");
  }
  std::string send_request(ByteView noise, ByteView identity, ByteView secret) {
    const auto word = client.take(names::kNotification, "primary_ephemeral_identity");
    wa::PrimaryEphemeralIdentity primary;
    const ByteView bytes = word->child("primary_ephemeral_identity")->bytes();
    EXPECT_TRUE(primary.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    const auto shared = crypto::x25519(ephemeral.private_key, as_bytes(primary.publickey()));
    const std::string salt =
        "Companion Pairing " + std::to_string(device_type) + " with ref " + ref;
    const Bytes key = crypto::hkdf_sha256(*shared, as_bytes(salt),
                                          as_bytes("Pairing Information Encryption Key"), 32);
    wa::PairingRequest plain;
    plain.set_companionpublickey(std::string(as_text(noise)));
    plain.set_companionidentitykey(std::string(as_text(identity)));
    plain.set_advsecret(std::string(as_text(secret)));
    const Bytes iv = random.bytes(12);
    wa::EncryptedPairingRequest sealed;
    sealed.set_encryptedpayload(std::string(
        as_text(crypto::aes_gcm_encrypt(key, iv, {}, as_bytes(plain.SerializeAsString())))));
    sealed.set_iv(std::string(as_text(iv)));
    return ask("set", leaf("encrypted_pairing_request", as_bytes(sealed.SerializeAsString())))
        .text_attr("type");
  }
  [[nodiscard]] std::string last_violation() const {
    return sim.violations().empty() ? "" : sim.violations().back().what;
  }

  std::optional<Result<wire::Jid>> linked;  // outlives sim, which still answers at its end
  test::FakeScheduler scheduler;
  test::SeededRandom random{3};
  Simulator sim{scheduler, random};
  TestClient client{scheduler, random, sim};
  std::string phone;
  signal::KeyPair ephemeral;
  std::uint32_t device_type = 0;  // that TestClient registers with
  std::string ref;
  Bytes nonce = Bytes(32, std::byte{7});
};

TEST_F(SimulatorPasskey, LinksAClientThatDoesItRight) {
  const auto answer = sim.passkey_answer(phone, options());
  get_ref();
  EXPECT_EQ(send_prologue(*answer, client.adv_secret), "result");
  EXPECT_EQ(ask("set", leaf("companion_nonce", nonce)).text_attr("type"), "result");
  EXPECT_EQ(sim.passkey_seen(phone)->code.size(), 9U);
  EXPECT_TRUE(sim.passkey_seen(phone)->handoff_proof);
  client.adv_secret = random.bytes(32);  // pair-success is checked under it
  EXPECT_EQ(
      send_request(client.noise.public_key, client.store.own->key.public_key, client.adv_secret),
      "result");
  client.settle();
  EXPECT_TRUE(linked && *linked);
  EXPECT_TRUE(sim.violations().empty()) << last_violation();
}

TEST_F(SimulatorPasskey, SeesEachWrongAssertion) {
  const json::Value asked = options();
  get_ref();
  for (const auto& [flaw, word] : std::vector<std::pair<AssertionFlaw, std::string>>{
           {AssertionFlaw::challenge, "challenge"},
           {AssertionFlaw::origin, "origin"},
           {AssertionFlaw::rp_id, "rpIdHash"},
           {AssertionFlaw::flags, "flags"},
           {AssertionFlaw::credential, "another credential"}}) {
    // Each refusal ends the challenge.
    const Node fresh = ask("get", Node("passkey_request_options"));
    const auto now = json::parse(as_text(fresh.child("passkey_request_options")->bytes()));
    EXPECT_EQ(send_prologue(*sim.passkey_answer(phone, *now, flaw)), "error");
    EXPECT_NE(last_violation().find(word), std::string::npos) << word << ": " << last_violation();
  }
  const std::size_t before = sim.violations().size();
  const Node fresh = ask("get", Node("passkey_request_options"));
  const auto now = json::parse(as_text(fresh.child("passkey_request_options")->bytes()));
  EXPECT_EQ(send_prologue(*sim.passkey_answer(phone, *now, AssertionFlaw::signature)), "error");
  EXPECT_EQ(sim.violations().size(), before) << "which a client cannot know";
  EXPECT_EQ(send_prologue(*sim.passkey_answer(phone, *now)), "error") << "the challenge is used";
  EXPECT_EQ(send_prologue(*sim.passkey_answer(phone, asked)), "error");
}

TEST_F(SimulatorPasskey, SeesAWrongPayload) {
  const auto answer = *sim.passkey_answer(phone, options());
  EXPECT_EQ(send_prologue(answer), "error");
  EXPECT_NE(last_violation().find("ref"), std::string::npos) << "none was asked for";
}

TEST_F(SimulatorPasskey, SeesAnotherDeviceType) {
  const auto answer = *sim.passkey_answer(phone, options());
  get_ref();
  device_type = 1;
  EXPECT_EQ(send_prologue(answer), "error");
  EXPECT_NE(last_violation().find("device type"), std::string::npos);
}

TEST_F(SimulatorPasskey, SeesAProofUnderAnotherSecret) {
  const auto answer = *sim.passkey_answer(phone, options());
  get_ref();
  EXPECT_EQ(send_prologue(answer, random.bytes(32)), "error");
  EXPECT_NE(last_violation().find("handoff proof"), std::string::npos);
}

TEST_F(SimulatorPasskey, SeesANonceThatWasNotPromised) {
  const auto answer = *sim.passkey_answer(phone, options());
  get_ref();
  EXPECT_EQ(send_prologue(answer), "result");
  EXPECT_EQ(ask("set", leaf("companion_nonce", random.bytes(32))).text_attr("type"), "error");
  EXPECT_NE(last_violation().find("promised"), std::string::npos);
}

TEST_F(SimulatorPasskey, SeesAWrongRequest) {
  const auto answer = *sim.passkey_answer(phone, options());
  get_ref();
  EXPECT_EQ(send_prologue(answer), "result");
  EXPECT_EQ(ask("set", leaf("encrypted_pairing_request", nonce)).text_attr("type"), "error");
  EXPECT_NE(last_violation().find("out of turn"), std::string::npos);
  EXPECT_EQ(ask("set", leaf("companion_nonce", nonce)).text_attr("type"), "result");
  EXPECT_EQ(
      send_request(client.noise.public_key, client.store.own->key.public_key, client.adv_secret),
      "error");
  EXPECT_NE(last_violation().find("old secret"), std::string::npos);
}

TEST_F(SimulatorPasskey, GivesItsKeysToOtherAuthenticators) {
  std::optional<Simulator::Response> shown;
  sim.control("GET", "/v1/accounts/" + phone, "",
              [&](Simulator::Response response) { shown = std::move(response); });
  ASSERT_TRUE(shown);
  const json::Value& passkey = shown->body["passkey"];
  EXPECT_EQ(base64_decode(passkey["private_key"].asString())->size(), 138U);
  EXPECT_EQ(passkey["rp_id"].asString(), "whatsapp.com");
  EXPECT_EQ(passkey["stage"].asString(), "asked");
  sim.control("PATCH", "/v1/accounts/" + phone, R"({"passkey":{"flaw":"nonsense"}})",
              [&](Simulator::Response response) { shown = std::move(response); });
  EXPECT_EQ(shown->status, 400);
  EXPECT_NE(shown->body["error"].asString().find("phone_silent"), std::string::npos);
  sim.control("PATCH", "/v1/accounts/" + phone, R"({"passkey":false})",
              [&](Simulator::Response response) { shown = std::move(response); });
  EXPECT_TRUE(shown->body["passkey"].isNull());
  sim.control("POST", "/v1/peers/" + phone + "/passkey", R"({"options":{"challenge":"QQ"}})",
              [&](Simulator::Response response) { shown = std::move(response); });
  EXPECT_EQ(shown->status, 404);
}

}  // namespace
}  // namespace posthorn::simulator
