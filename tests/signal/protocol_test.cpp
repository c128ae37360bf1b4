#include "posthorn/signal/protocol.h"

#include <gtest/gtest.h>

#include "posthorn/signal/memory_key_store.h"
#include "support/fakes.h"

namespace posthorn::signal {
namespace {

const Wall kNow = Wall::from_unix(1'790'000'000);

/// A store whose writes or reads can be made to fail.
class FaultyStore final : public KeyStore {
 public:
  Result<void> apply(const KeyChanges& changes) override {
    ++applied;
    if (fail_writes) return fail(Errc::full, "disk full");
    return keys.apply(changes);
  }
  Result<std::optional<Bytes>> session(const Address& address) override {
    ++loaded;
    if (fail_reads) return fail(Errc::io, "disk gone");
    return keys.session(address);
  }
  Result<std::optional<OwnIdentity>> own_identity() override { return keys.own_identity(); }
  Result<void> save_own_identity(const OwnIdentity& identity) override {
    return keys.save_own_identity(identity);
  }
  Result<bool> has_session(const Address& address) override { return keys.has_session(address); }
  Result<void> delete_session(const Address& address) override {
    return keys.delete_session(address);
  }
  Result<std::optional<PublicKey>> peer_identity(const Address& address) override {
    return keys.peer_identity(address);
  }
  Result<void> forget_peer(std::string_view name) override { return keys.forget_peer(name); }
  Result<std::vector<std::uint32_t>> add_pre_keys(std::span<const KeyPair> pairs,
                                                  PreKeyState state) override {
    return keys.add_pre_keys(pairs, state);
  }
  Result<std::optional<PreKey>> pre_key(std::uint32_t id) override { return keys.pre_key(id); }
  Result<std::vector<PreKey>> unoffered_pre_keys(std::size_t limit) override {
    return keys.unoffered_pre_keys(limit);
  }
  Result<std::size_t> unoffered_pre_key_count() override { return keys.unoffered_pre_key_count(); }
  Result<void> mark_offered(std::span<const std::uint32_t> ids) override {
    return keys.mark_offered(ids);
  }
  Result<void> mark_none_offered() override { return keys.mark_none_offered(); }
  Result<std::optional<SignedPreKey>> signed_pre_key(std::uint32_t id) override {
    return keys.signed_pre_key(id);
  }
  Result<std::optional<SignedPreKey>> signed_pre_key(SignedPreKeyState state) override {
    return keys.signed_pre_key(state);
  }
  Result<SignedPreKey> add_pending_signed_pre_key(const SignedPreKey& key) override {
    return keys.add_pending_signed_pre_key(key);
  }
  Result<void> make_current(std::uint32_t id) override { return keys.make_current(id); }
  Result<void> discard_pending_signed_pre_key() override {
    return keys.discard_pending_signed_pre_key();
  }
  Result<std::optional<Bytes>> sender_key(const SenderKeyName& name) override {
    return keys.sender_key(name);
  }
  Result<void> delete_sender_key(const SenderKeyName& name) override {
    return keys.delete_sender_key(name);
  }

  MemoryKeyStore keys;
  bool fail_writes = false;
  bool fail_reads = false;
  int applied = 0;
  int loaded = 0;
};

struct Party {
  explicit Party(std::uint64_t seed) : random(seed) {
    EXPECT_TRUE(protocol.own_identity(kNow).has_value());
  }
  /// The bundle a server would hand out, with a fresh one-time prekey.
  Bundle bundle() {
    Bundle made;
    const auto own = protocol.own_identity(kNow);
    const auto signed_key = protocol.current_signed_pre_key();
    const auto one_time = protocol.pre_key_for_retry();
    made.registration_id = own->registration_id;
    made.identity = own->key.public_key;
    made.signed_pre_key_id = signed_key->id;
    made.signed_pre_key = signed_key->key.public_key;
    made.signature = signed_key->signature;
    made.one_time = Bundle::OneTime{one_time->id, one_time->key.public_key};
    return made;
  }
  /// Another installation at the same address.
  void reinstall() {
    store.keys = MemoryKeyStore();
    EXPECT_TRUE(protocol.own_identity(kNow).has_value());
  }

  test::SeededRandom random;
  FaultyStore store;
  Protocol protocol{store, random};
};

class ProtocolTest : public ::testing::Test {
 protected:
  Bytes send(const std::string& text, MessageType expected) {
    const auto sealed = alice_.protocol.encrypt(kBob, to_bytes(text));
    EXPECT_TRUE(sealed.has_value());
    if (!sealed) return {};
    EXPECT_EQ(sealed->type, expected);
    return sealed->bytes;
  }
  /// Both have spoken: messages are `msg` from here on.
  void establish() {
    ASSERT_TRUE(alice_.protocol.process_bundle(kBob, bob_.bundle()).has_value());
    ASSERT_TRUE(bob_.protocol.decrypt_pkmsg(kAlice, send("hello", MessageType::pkmsg)).has_value());
    const auto reply = bob_.protocol.encrypt(kAlice, to_bytes("reply"));
    ASSERT_TRUE(alice_.protocol.decrypt_msg(kBob, reply->bytes).has_value());
  }
  DecryptError bob_fails(const DecryptResult& result) {
    EXPECT_FALSE(result.has_value());
    return result ? DecryptError::internal : result.error().kind;
  }

  static inline const Address kAlice{"1@lid", 3};
  static inline const Address kBob{"2@lid", 0};
  Party alice_{1};
  Party bob_{2};
};

TEST_F(ProtocolTest, BundleWithWrongSignatureIsRefused) {
  const Bundle good = bob_.bundle();
  for (std::size_t byte = 0; byte < good.signature.size(); ++byte) {
    Bundle forged = good;
    forged.signature[byte] ^= std::byte{0x10};
    const auto result = alice_.protocol.process_bundle(kBob, forged);
    ASSERT_FALSE(result.has_value()) << byte;
    EXPECT_EQ(result.error().code, Errc::crypto);
  }
  Bundle swapped = good;
  swapped.identity = alice_.store.keys.own->key.public_key;
  EXPECT_FALSE(alice_.protocol.process_bundle(kBob, swapped).has_value());
  EXPECT_FALSE(*alice_.protocol.has_session(kBob));
  EXPECT_EQ(*alice_.protocol.peer_identity(kBob), std::nullopt);
  EXPECT_TRUE(alice_.protocol.process_bundle(kBob, good).has_value());
}

TEST_F(ProtocolTest, SendingWithoutSessionIsNotFound) {
  EXPECT_EQ(alice_.protocol.encrypt(kBob, to_bytes("x")).error().code, Errc::not_found);
  EXPECT_EQ(*alice_.protocol.remote_registration_id(kBob), std::nullopt);
  EXPECT_EQ(*alice_.protocol.session_base_key(kBob), std::nullopt);
}

TEST_F(ProtocolTest, OneOperationReadsAndWritesTheSessionOnce) {
  establish();
  alice_.store.applied = 0;
  alice_.store.loaded = 0;
  bob_.store.applied = 0;
  bob_.store.loaded = 0;
  const Bytes message = send("x", MessageType::msg);
  EXPECT_EQ(alice_.store.applied, 1);
  EXPECT_EQ(alice_.store.loaded, 1);
  ASSERT_TRUE(bob_.protocol.decrypt_msg(kAlice, message).has_value());
  EXPECT_EQ(bob_.store.applied, 1);
  EXPECT_EQ(bob_.store.loaded, 1);
}

TEST_F(ProtocolTest, FailedDecryptionLeavesEverythingAsItWas) {
  ASSERT_TRUE(alice_.protocol.process_bundle(kBob, bob_.bundle()).has_value());
  const Bytes first = send("hello", MessageType::pkmsg);
  const MemoryKeyStore before = bob_.store.keys;
  int outside_the_mac = 0;  // the registration id and tags of fields that are not looked at
  for (std::size_t i = 0; i < first.size(); ++i) {
    Bytes forged = first;
    forged[i] ^= std::byte{0x21};
    const auto opened = bob_.protocol.decrypt_pkmsg(kAlice, forged);
    if (opened.has_value()) {
      EXPECT_EQ(as_text(opened->plaintext), "hello");
      ++outside_the_mac;
      bob_.store.keys = before;
    }
    EXPECT_TRUE(bob_.store.keys.sessions.empty()) << i;
    EXPECT_TRUE(bob_.store.keys.identities.empty()) << i;
    EXPECT_EQ(bob_.store.keys.pre_keys.size(), 1U) << i;
  }
  EXPECT_LE(outside_the_mac, 4);
  EXPECT_TRUE(bob_.protocol.decrypt_pkmsg(kAlice, first).has_value());
  EXPECT_TRUE(bob_.store.keys.pre_keys.empty());
}

TEST_F(ProtocolTest, BrokenMessagesNeitherCrashNorMoveTheRatchet) {
  establish();
  const Bytes message = send("hello again", MessageType::msg);
  const auto before = bob_.store.keys.sessions;
  for (std::size_t i = 0; i < message.size(); ++i) {
    for (const unsigned mask : {0x01U, 0x80U, 0xFFU}) {
      Bytes forged = message;
      forged[i] ^= static_cast<std::byte>(mask);
      EXPECT_FALSE(bob_.protocol.decrypt_msg(kAlice, forged).has_value()) << i;
      EXPECT_FALSE(bob_.protocol.decrypt_pkmsg(kAlice, forged).has_value()) << i;
    }
    EXPECT_FALSE(bob_.protocol.decrypt_msg(kAlice, ByteView(message).first(i)).has_value()) << i;
  }
  EXPECT_EQ(bob_.store.keys.sessions, before);
  EXPECT_EQ(as_text(bob_.protocol.decrypt_msg(kAlice, message)->plaintext), "hello again");
}

TEST_F(ProtocolTest, NamesTheReasonOfEachFailure) {
  ASSERT_TRUE(alice_.protocol.process_bundle(kBob, bob_.bundle()).has_value());
  const Bytes first = send("hello", MessageType::pkmsg);
  const Bytes second = send("hello", MessageType::pkmsg);

  auto& bob = bob_.protocol;
  const Bytes legacy = to_bytes("\x23rest");
  EXPECT_EQ(bob_fails(bob.decrypt_msg(kAlice, legacy)), DecryptError::bad_version);
  const Bytes later = to_bytes("\x44rest");
  EXPECT_EQ(bob_fails(bob.decrypt_pkmsg(kAlice, later)), DecryptError::bad_version);
  EXPECT_EQ(bob_fails(bob.decrypt_pkmsg(kAlice, to_bytes("\x33\xff\xff"))),
            DecryptError::malformed);
  EXPECT_EQ(bob_fails(bob.decrypt_msg(kAlice, {})), DecryptError::malformed);

  const auto pre_keys = bob_.store.keys.pre_keys;
  bob_.store.keys.pre_keys.clear();
  EXPECT_EQ(bob_fails(bob.decrypt_pkmsg(kAlice, first)), DecryptError::invalid_key_id);
  bob_.store.keys.pre_keys = pre_keys;
  ASSERT_TRUE(bob.decrypt_pkmsg(kAlice, first).has_value());
  EXPECT_EQ(bob_fails(bob.decrypt_pkmsg(kAlice, first)), DecryptError::duplicate);
  ASSERT_TRUE(bob.decrypt_pkmsg(kAlice, second).has_value());

  const auto reply = bob.encrypt(kAlice, to_bytes("reply"));
  ASSERT_TRUE(alice_.protocol.decrypt_msg(kBob, reply->bytes).has_value());
  const Bytes third = send("third", MessageType::msg);
  EXPECT_EQ(bob_fails(bob.decrypt_msg({"9@lid", 0}, third)), DecryptError::no_session);
  Bytes forged = third;
  forged.back() ^= std::byte{1};
  EXPECT_EQ(bob_fails(bob.decrypt_msg(kAlice, forged)), DecryptError::invalid_message);

  EXPECT_EQ(retry_reason(DecryptError::duplicate), 0);
  EXPECT_EQ(retry_reason(DecryptError::no_session), 1);
  EXPECT_EQ(retry_reason(DecryptError::invalid_key), 2);
  EXPECT_EQ(retry_reason(DecryptError::invalid_key_id), 3);
  EXPECT_EQ(retry_reason(DecryptError::invalid_message), 4);
}

TEST_F(ProtocolTest, StoreFailureIsInternalAndChangesNothing) {
  establish();
  const Bytes message = send("x", MessageType::msg);
  bob_.store.fail_reads = true;
  EXPECT_EQ(bob_fails(bob_.protocol.decrypt_msg(kAlice, message)), DecryptError::internal);
  bob_.store.fail_reads = false;
  bob_.store.fail_writes = true;
  EXPECT_EQ(bob_fails(bob_.protocol.decrypt_msg(kAlice, message)), DecryptError::internal);
  EXPECT_EQ(bob_.protocol.encrypt(kAlice, to_bytes("y")).error().code, Errc::full);
  bob_.store.fail_writes = false;
  EXPECT_TRUE(bob_.protocol.decrypt_msg(kAlice, message).has_value());
}

TEST_F(ProtocolTest, ReportsAChangedIdentityOnce) {
  establish();
  alice_.reinstall();
  ASSERT_FALSE(*alice_.protocol.process_bundle(kBob, bob_.bundle()));
  const auto first = bob_.protocol.decrypt_pkmsg(kAlice, send("new phone", MessageType::pkmsg));
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->identity_changed);
  EXPECT_EQ(*bob_.protocol.peer_identity(kAlice), alice_.store.keys.own->key.public_key);
  const auto second = bob_.protocol.decrypt_pkmsg(kAlice, send("again", MessageType::pkmsg));
  ASSERT_TRUE(second.has_value());
  EXPECT_FALSE(second->identity_changed);

  bob_.reinstall();
  EXPECT_TRUE(*alice_.protocol.process_bundle(kBob, bob_.bundle()));
  EXPECT_FALSE(*alice_.protocol.process_bundle(kBob, bob_.bundle()));
}

TEST_F(ProtocolTest, NewSessionReadsMessagesOfTheOldOne) {
  establish();
  const Bytes old_message = send("on its way", MessageType::msg);
  ASSERT_TRUE(alice_.protocol.process_bundle(kBob, bob_.bundle()).has_value());
  ASSERT_TRUE(bob_.protocol.decrypt_pkmsg(kAlice, send("new", MessageType::pkmsg)).has_value());
  EXPECT_EQ(as_text(bob_.protocol.decrypt_msg(kAlice, old_message)->plaintext), "on its way");
}

TEST_F(ProtocolTest, BothSidesStartingAtOnceEndInOneConversation) {
  ASSERT_TRUE(alice_.protocol.process_bundle(kBob, bob_.bundle()).has_value());
  ASSERT_TRUE(bob_.protocol.process_bundle(kAlice, alice_.bundle()).has_value());
  const Bytes from_alice = send("a", MessageType::pkmsg);
  const auto from_bob = bob_.protocol.encrypt(kAlice, to_bytes("b"));
  ASSERT_TRUE(bob_.protocol.decrypt_pkmsg(kAlice, from_alice).has_value());
  ASSERT_TRUE(alice_.protocol.decrypt_pkmsg(kBob, from_bob->bytes).has_value());
  for (int i = 0; i < 4; ++i) {
    const auto ping = alice_.protocol.encrypt(kBob, to_bytes("ping"));
    const auto opened = ping->type == MessageType::pkmsg
                            ? bob_.protocol.decrypt_pkmsg(kAlice, ping->bytes)
                            : bob_.protocol.decrypt_msg(kAlice, ping->bytes);
    ASSERT_TRUE(opened.has_value()) << i;
    const auto pong = bob_.protocol.encrypt(kAlice, to_bytes("pong"));
    const auto answered = pong->type == MessageType::pkmsg
                              ? alice_.protocol.decrypt_pkmsg(kBob, pong->bytes)
                              : alice_.protocol.decrypt_msg(kBob, pong->bytes);
    ASSERT_TRUE(answered.has_value()) << i;
  }
}

TEST_F(ProtocolTest, UnreadableSessionIsDroppedSoThatARetryHeals) {
  establish();
  const Bytes message = send("x", MessageType::msg);
  bob_.store.keys.sessions[kAlice] = to_bytes("\xff\xff\xff\xff");
  EXPECT_EQ(bob_fails(bob_.protocol.decrypt_msg(kAlice, message)), DecryptError::no_session);
  EXPECT_FALSE(*bob_.protocol.has_session(kAlice));

  bob_.store.keys.sessions[kAlice] = to_bytes("\xff\xff\xff\xff");
  EXPECT_EQ(bob_.protocol.encrypt(kAlice, to_bytes("y")).error().code, Errc::not_found);
  bob_.store.keys.sessions[kAlice] = to_bytes("\xff\xff\xff\xff");
  ASSERT_TRUE(bob_.protocol.process_bundle(kAlice, alice_.bundle()).has_value());
  EXPECT_TRUE(bob_.protocol.encrypt(kAlice, to_bytes("y")).has_value());
}

TEST_F(ProtocolTest, BaseKeyTellsANewSessionFromTheOldOne) {
  establish();
  const auto before = *alice_.protocol.session_base_key(kBob);
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(before->size(), 33U);
  send("x", MessageType::msg);
  EXPECT_EQ(*alice_.protocol.session_base_key(kBob), before);
  ASSERT_TRUE(alice_.protocol.process_bundle(kBob, bob_.bundle()).has_value());
  EXPECT_NE(*alice_.protocol.session_base_key(kBob), before);
  EXPECT_EQ(*alice_.protocol.remote_registration_id(kBob), bob_.store.keys.own->registration_id);
}

TEST_F(ProtocolTest, OfferedPreKeysWaitForTheWorkerAndEndWithTheProtocol) {
  test::FakeScheduler scheduler;
  test::InlineWorker worker(scheduler);
  std::optional<Errc> code;
  {
    Protocol protocol(alice_.store, alice_.random);
    protocol.pre_keys_to_offer(3, worker, [&code](Result<std::vector<PreKey>> keys) {
      code = keys ? Errc::malformed : keys.error().code;
    });
    EXPECT_FALSE(code.has_value());
  }
  scheduler.run_posted();
  EXPECT_EQ(code, Errc::cancelled);
}

TEST(Address, KeepsNumberAndLidWithTheSameDigitsApart) {
  EXPECT_EQ(make_address("49", "s.whatsapp.net", 7), (Address{"49@s.whatsapp.net", 7}));
  EXPECT_NE(make_address("49", "lid", 7), make_address("49", "s.whatsapp.net", 7));
  EXPECT_NE(make_address("49", "hosted", 7), make_address("49", "hosted.lid", 7));
}

}  // namespace
}  // namespace posthorn::signal
