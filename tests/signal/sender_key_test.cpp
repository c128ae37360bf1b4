#include <gtest/gtest.h>

#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/padding.h"
#include "posthorn/signal/protocol.h"
#include "signal/vectors.h"
#include "support/fakes.h"

namespace posthorn::signal {
namespace {

struct Member {
  explicit Member(std::uint64_t seed) : random(seed) {}
  test::SeededRandom random;
  MemoryKeyStore store;
  Protocol protocol{store, random};
};

const SenderKeyName kName{"120363000000000001@g.us", {"100000000000001@lid", 3}};

TEST(SenderKey, ReadsTheVectorsInAnyOrderOnce) {
  const auto file = load_vectors("sender-key.json");
  const auto& messages = json::at(file, "messages");
  Member bob(1);
  ASSERT_TRUE(bob.protocol.process_distribution(kName, hex_at(file, "distributionMessage")));
  for (const auto& index : json::at(file, "receiveOrder")) {
    const auto& message = messages[static_cast<unsigned>(*json::int_of(index))];
    const auto opened = bob.protocol.decrypt_group(kName, hex_at(message, "skmsg"));
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error().error);
    EXPECT_EQ(hex_encode(opened->plaintext), *json::string_at(message, "paddedPlaintext"));
  }
  const auto again = static_cast<unsigned>(*json::int_at(file, "thenDuplicateOf"));
  const auto repeated = bob.protocol.decrypt_group(kName, hex_at(messages[again], "skmsg"));
  ASSERT_FALSE(repeated.has_value());
  EXPECT_EQ(repeated.error().kind, DecryptError::duplicate);
}

TEST(SenderKey, OldDistributionDoesNotMakeReadMessagesReadableAgain) {
  const auto file = load_vectors("sender-key.json");
  const auto& messages = json::at(file, "messages");
  Member bob(1);
  const Bytes distribution = hex_at(file, "distributionMessage");
  ASSERT_TRUE(bob.protocol.process_distribution(kName, distribution));
  ASSERT_TRUE(bob.protocol.decrypt_group(kName, hex_at(messages[2U], "skmsg")));
  ASSERT_TRUE(bob.protocol.process_distribution(kName, distribution));
  EXPECT_EQ(bob.protocol.decrypt_group(kName, hex_at(messages[2U], "skmsg")).error().kind,
            DecryptError::duplicate);
  EXPECT_TRUE(bob.protocol.decrypt_group(kName, hex_at(messages[1U], "skmsg")));
}

TEST(SenderKey, DistributionTakenBeforeEncryptingReadsThatMessage) {
  Member alice(1);
  Member bob(2);
  EXPECT_EQ(alice.protocol.encrypt_group(kName, to_bytes("x")).error().code, Errc::not_found);
  const auto distribution = alice.protocol.create_distribution(kName);
  ASSERT_TRUE(distribution.has_value());
  const auto sealed = alice.protocol.encrypt_group(kName, to_bytes("first"));
  ASSERT_TRUE(sealed.has_value());
  EXPECT_EQ(bob.protocol.decrypt_group(kName, *sealed).error().kind, DecryptError::no_session);
  ASSERT_TRUE(bob.protocol.process_distribution(kName, *distribution));
  EXPECT_EQ(as_text(bob.protocol.decrypt_group(kName, *sealed)->plaintext), "first");

  // A member who comes later gets the chain as it stands and not what was said before.
  Member carol(3);
  const auto later = alice.protocol.create_distribution(kName);
  ASSERT_TRUE(carol.protocol.process_distribution(kName, *later));
  EXPECT_FALSE(carol.protocol.decrypt_group(kName, *sealed).has_value());
  const auto second = alice.protocol.encrypt_group(kName, to_bytes("second"));
  EXPECT_EQ(as_text(carol.protocol.decrypt_group(kName, *second)->plaintext), "second");
  EXPECT_EQ(as_text(bob.protocol.decrypt_group(kName, *second)->plaintext), "second");
}

TEST(SenderKey, RotatedKeyIsUnknownUntilDistributed) {
  Member alice(1);
  Member bob(2);
  ASSERT_TRUE(bob.protocol.process_distribution(kName, *alice.protocol.create_distribution(kName)));
  ASSERT_TRUE(alice.protocol.rotate_sender_key(kName));
  const auto fresh = alice.protocol.create_distribution(kName);
  const auto sealed = alice.protocol.encrypt_group(kName, to_bytes("new"));
  EXPECT_EQ(bob.protocol.decrypt_group(kName, *sealed).error().kind, DecryptError::no_session);
  ASSERT_TRUE(bob.protocol.process_distribution(kName, *fresh));
  EXPECT_EQ(as_text(bob.protocol.decrypt_group(kName, *sealed)->plaintext), "new");
}

TEST(SenderKey, ForgedOrBrokenMessagesChangeNothing) {
  Member alice(1);
  Member bob(2);
  ASSERT_TRUE(bob.protocol.process_distribution(kName, *alice.protocol.create_distribution(kName)));
  const auto before = bob.store.sender_keys;
  const auto sealed = alice.protocol.encrypt_group(kName, to_bytes("hello"));
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    Bytes forged = *sealed;
    forged[i] ^= std::byte{0x40};
    EXPECT_FALSE(bob.protocol.decrypt_group(kName, forged).has_value()) << i;
    EXPECT_EQ(bob.store.sender_keys, before) << i;
    EXPECT_FALSE(bob.protocol.decrypt_group(kName, ByteView(*sealed).first(i)).has_value()) << i;
  }
  EXPECT_TRUE(bob.protocol.decrypt_group(kName, *sealed).has_value());
}

TEST(SenderKey, ForeignSenderKeyIsNotUsedForSending) {
  Member alice(1);
  Member bob(2);
  ASSERT_TRUE(bob.protocol.process_distribution(kName, *alice.protocol.create_distribution(kName)));
  EXPECT_FALSE(bob.protocol.encrypt_group(kName, to_bytes("as alice")).has_value());
}

TEST(SenderKey, UnreadableRecordIsDroppedSoThatADistributionHeals) {
  Member alice(1);
  Member bob(2);
  ASSERT_TRUE(bob.protocol.process_distribution(kName, *alice.protocol.create_distribution(kName)));
  bob.store.sender_keys[kName] = to_bytes("\xff\xff\xff");
  const auto distribution = alice.protocol.create_distribution(kName);
  const auto sealed = alice.protocol.encrypt_group(kName, to_bytes("hello"));
  EXPECT_EQ(bob.protocol.decrypt_group(kName, *sealed).error().kind, DecryptError::no_session);
  ASSERT_TRUE(bob.protocol.process_distribution(kName, *distribution));
  EXPECT_TRUE(bob.protocol.decrypt_group(kName, *sealed).has_value());
}

}  // namespace
}  // namespace posthorn::signal
