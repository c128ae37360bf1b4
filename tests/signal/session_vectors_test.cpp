#include <gtest/gtest.h>

#include <map>

#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/protocol.h"
#include "signal/vectors.h"

namespace posthorn::signal {
namespace {

PreKey read_pre_key(const json::Value& value) {
  return {static_cast<std::uint32_t>(*json::int_at(value, "id")),
          {array_at<PublicKey>(value, "pub"), array_at<PrivateKey>(value, "priv")}};
}

/// One side of a transcript.
struct Party {
  explicit Party(const json::Value& value) {
    const auto& identity = json::at(value, "identity");
    store.own =
        OwnIdentity{{array_at<PublicKey>(identity, "pub"), array_at<PrivateKey>(identity, "priv")},
                    static_cast<std::uint32_t>(*json::int_at(value, "registrationId"))};
    const auto& signed_value = json::at(value, "signedPreKey");
    const PreKey signed_key = read_pre_key(signed_value);
    signed_pre_key = {signed_key.id, signed_key.key, array_at<Signature>(signed_value, "signature"),
                      Wall::from_unix(1'790'000'000)};
    store.signed_pre_keys[signed_key.id] = {signed_pre_key, SignedPreKeyState::current};
    one_time = read_pre_key(json::at(value, "oneTimePreKey"));
    store.pre_keys[one_time.id] = {one_time.key, PreKeyState::offered};
  }

  Bundle bundle(bool with_one_time) const {
    Bundle made;
    made.registration_id = store.own->registration_id;
    made.identity = store.own->key.public_key;
    made.signed_pre_key_id = signed_pre_key.id;
    made.signed_pre_key = signed_pre_key.key.public_key;
    made.signature = signed_pre_key.signature;
    if (with_one_time) made.one_time = Bundle::OneTime{one_time.id, one_time.key.public_key};
    return made;
  }

  MemoryKeyStore store;
  SignedPreKey signed_pre_key;
  PreKey one_time;
  ScriptedRandom random;
  Protocol protocol{store, random};
};

class Transcript : public ::testing::TestWithParam<const char*> {
 protected:
  void run_step(const json::Value& step) {
    const bool is_alice = json::string_at(step, "actor") == "alice";
    Party& actor = is_alice ? *alice_ : *bob_;
    const Address& peer = is_alice ? bob_address_ : alice_address_;
    actor.random.expect(json::at(step, "rngDraws"));
    const std::string op = *json::string_at(step, "op");
    if (op == "process_bundle") {
      const auto changed = actor.protocol.process_bundle(
          peer, bob_->bundle(*json::bool_at(step, "oneTimePreKeyUsed")));
      ASSERT_TRUE(changed.has_value()) << to_string(changed.error());
      EXPECT_FALSE(*changed);
    } else if (op == "encrypt") {
      encrypt(actor, peer, step);
    } else {
      ASSERT_EQ(op, "decrypt");
      decrypt(actor, peer, step);
    }
    EXPECT_TRUE(actor.random.draws.empty());
    EXPECT_EQ(actor.random.mistakes, 0);
  }

  void encrypt(Party& actor, const Address& peer, const json::Value& step) {
    const auto sealed = actor.protocol.encrypt(peer, hex_at(step, "paddedPlaintext"));
    ASSERT_TRUE(sealed.has_value()) << to_string(sealed.error());
    EXPECT_EQ(to_string(sealed->type), *json::string_at(step, "type"));
    EXPECT_EQ(hex_encode(sealed->bytes), *json::string_at(step, "ciphertext"));
    sent_[*json::string_at(step, "name")] = *sealed;
    ++encrypted_;
  }

  void decrypt(Party& actor, const Address& peer, const json::Value& step) {
    const Encrypted& message = sent_.at(*json::string_at(step, "name"));
    const auto opened = message.type == MessageType::pkmsg
                            ? actor.protocol.decrypt_pkmsg(peer, message.bytes)
                            : actor.protocol.decrypt_msg(peer, message.bytes);
    if (json::string_at(step, "expectError")) {
      ASSERT_FALSE(opened.has_value());
      EXPECT_EQ(to_string(opened.error().kind), *json::string_at(step, "expectError"));
      return;
    }
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error().error);
    EXPECT_EQ(hex_encode(opened->plaintext), *json::string_at(step, "expectPaddedPlaintext"));
    EXPECT_FALSE(opened->identity_changed);
  }

  std::unique_ptr<Party> alice_;
  std::unique_ptr<Party> bob_;
  Address alice_address_ = make_address("100000000000001", "lid", 3);
  Address bob_address_ = make_address("100000000000002", "lid", 0);
  std::map<std::string, Encrypted> sent_;
  int encrypted_ = 0;
};

TEST_P(Transcript, IsReproducedByteForByte) {
  const auto file = load_vectors("signal-session.json");
  const auto& transcript = json::at(json::at(file, "transcripts"), GetParam());
  alice_ = std::make_unique<Party>(json::at(transcript, "alice"));
  bob_ = std::make_unique<Party>(json::at(transcript, "bob"));
  for (const auto& step : json::at(transcript, "steps")) {
    SCOPED_TRACE(json::write(step));
    run_step(step);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(encrypted_, 8);

  const bool one_time = std::string(GetParam()) == "withOneTimePreKey";
  EXPECT_EQ(bob_->store.pre_keys.contains(bob_->one_time.id), !one_time);
  EXPECT_EQ(*bob_->protocol.remote_registration_id(alice_address_),
            alice_->store.own->registration_id);
  EXPECT_EQ(*bob_->protocol.session_base_key(alice_address_),
            *alice_->protocol.session_base_key(bob_address_));
  EXPECT_EQ(*bob_->protocol.peer_identity(alice_address_), alice_->store.own->key.public_key);
}

INSTANTIATE_TEST_SUITE_P(Vectors, Transcript,
                         ::testing::Values("withOneTimePreKey", "withoutOneTimePreKey"));

}  // namespace
}  // namespace posthorn::signal
