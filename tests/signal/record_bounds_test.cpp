#include "signal/record_bounds.h"

#include <gtest/gtest.h>

#include <vector>

#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/protocol.h"
#include "support/fakes.h"

namespace posthorn::signal {
namespace {

const Wall kNow = Wall::from_unix(1'790'000'000);
const Address kShop{"1@lid", 7};
const Address kPeer{"2@lid", 0};
const SenderKeyName kGroup{"120363000000000001@g.us", kPeer};

struct Side {
  explicit Side(std::uint64_t seed) : random(seed) {
    EXPECT_TRUE(protocol.own_identity(kNow).has_value());
  }
  /// Without a one-time key, as the server gives it when those are used up: good for any number of
  /// sessions.
  Bundle bundle() {
    const auto own = protocol.own_identity(kNow);
    const auto signed_key = protocol.current_signed_pre_key();
    Bundle made;
    made.registration_id = own->registration_id;
    made.identity = own->key.public_key;
    made.signed_pre_key_id = signed_key->id;
    made.signed_pre_key = signed_key->key.public_key;
    made.signature = signed_key->signature;
    return made;
  }
  std::vector<Encrypted> write(const Address& to, std::size_t count) {
    std::vector<Encrypted> messages;
    for (std::size_t i = 0; i < count; ++i) {
      messages.push_back(*protocol.encrypt(to, to_bytes("m" + std::to_string(i))));
    }
    return messages;
  }

  test::SeededRandom random;
  MemoryKeyStore store;
  Protocol protocol{store, random};
};

class RecordBounds : public ::testing::Test {
 protected:
  DecryptResult read(const Encrypted& message) {
    return message.type == MessageType::pkmsg ? shop_.protocol.decrypt_pkmsg(kPeer, message.bytes)
                                              : shop_.protocol.decrypt_msg(kPeer, message.bytes);
  }
  DecryptError failure(const Encrypted& message) {
    const auto result = read(message);
    EXPECT_FALSE(result.has_value());
    return result ? DecryptError::internal : result.error().kind;
  }
  std::vector<Encrypted> new_session(std::size_t count) {
    EXPECT_TRUE(peer_.protocol.process_bundle(kShop, shop_.bundle()).has_value());
    return peer_.write(kShop, count);
  }
  std::size_t record_size() { return shop_.store.sessions.at(kPeer).size(); }

  Side shop_{1};
  Side peer_{2};
};

TEST_F(RecordBounds, ThePeerThatJumpsAheadInManySessionsFillsNoMoreThanOneRecord) {
  std::size_t largest = 0;
  for (int i = 0; i < 41; ++i) {
    ASSERT_TRUE(read(new_session(kMaxLeap).back()).has_value()) << i;
    largest = std::max(largest, record_size());
  }
  EXPECT_LE(largest, kRecordBytes);
  // What was cut is asked for again; the conversation goes on.
  ASSERT_TRUE(read(peer_.write(kShop, 1).front()).has_value());
  const auto reply = shop_.protocol.encrypt(kPeer, to_bytes("reply"));
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(peer_.protocol.decrypt_msg(kShop, reply->bytes).has_value());
}

TEST_F(RecordBounds, ALeapThatLosesTooMuchIsRefusedAndANewSessionHeals) {
  const auto messages = new_session(kMaxLeap + 4);
  EXPECT_EQ(failure(messages[kMaxLeap + 1]), DecryptError::too_far);
  EXPECT_TRUE(shop_.store.sessions.empty());
  EXPECT_TRUE(read(messages[0]).has_value());
  EXPECT_TRUE(read(messages[kMaxLeap + 1]).has_value()) << "512 ahead of the first";
  EXPECT_EQ(failure(peer_.write(kShop, kMaxLeap + 2).back()), DecryptError::too_far);
  EXPECT_EQ(retry_reason(DecryptError::too_far), 4);
  EXPECT_TRUE(read(new_session(1).front()).has_value());
}

TEST_F(RecordBounds, TheNewestSkippedMessagesOfTheNewestSessionStayReadable) {
  const auto old = new_session(kMaxLeap);
  ASSERT_TRUE(read(old.back()).has_value());
  const auto messages = new_session(kMaxLeap);
  ASSERT_TRUE(read(messages.back()).has_value());
  ASSERT_LE(record_size(), kRecordBytes);
  EXPECT_EQ(failure(old[0]), DecryptError::duplicate);
  EXPECT_EQ(failure(messages[kMaxLeap - 2 - kSkippedKeys]), DecryptError::duplicate);
  for (std::size_t i = kMaxLeap - 1 - kSkippedKeys; i < kMaxLeap - 1; ++i) {
    ASSERT_TRUE(read(messages[i]).has_value()) << i;
  }
}

TEST_F(RecordBounds, ArchivedSessionsAreTheNewestAndStillRead) {
  std::vector<std::vector<Encrypted>> sessions;
  for (std::size_t i = 0; i < kArchivedStates + 4; ++i) {
    sessions.push_back(new_session(2));
    ASSERT_TRUE(read(sessions.back()[0]).has_value());
  }
  const auto size = record_size();
  EXPECT_LT(size, 1024 * (kArchivedStates + 1));
  // Reading turns to that session, so the archive changes with each: only the ends are looked at.
  EXPECT_TRUE(read(sessions[4][1]).has_value()) << "the oldest that is kept";
  EXPECT_TRUE(read(sessions.back()[1]).has_value());
}

TEST_F(RecordBounds, AGroupMembersKeysAreBoundedToo) {
  for (int i = 0; i < 6; ++i) {
    const auto distribution = peer_.protocol.create_distribution(kGroup);
    ASSERT_TRUE(distribution.has_value());
    ASSERT_TRUE(shop_.protocol.process_distribution(kGroup, *distribution).has_value());
    std::vector<Bytes> messages;
    for (std::size_t k = 0; k < kMaxLeap + 2; ++k) {
      messages.push_back(*peer_.protocol.encrypt_group(kGroup, to_bytes("x")));
    }
    const auto too_far = shop_.protocol.decrypt_group(kGroup, messages[kMaxLeap + 1]);
    ASSERT_FALSE(too_far.has_value());
    EXPECT_EQ(too_far.error().kind, DecryptError::too_far);
    ASSERT_TRUE(shop_.protocol.decrypt_group(kGroup, messages[kMaxLeap]).has_value());
    EXPECT_LE(shop_.store.sender_keys.at(kGroup).size(), kRecordBytes);
    EXPECT_TRUE(shop_.protocol.decrypt_group(kGroup, messages[kMaxLeap - 1]).has_value());
    ASSERT_TRUE(peer_.protocol.rotate_sender_key(kGroup).has_value());
  }
}

TEST(RecordBoundsBytes, WhatIsNoRecordIsLeftAlone) {
  test::SeededRandom random(5);
  for (int i = 0; i < 200; ++i) {
    const Bytes noise = random.bytes(40'000 / static_cast<std::size_t>(i + 1));
    static_cast<void>(bounded_session(noise));
    static_cast<void>(bounded_sender_key(noise));
    EXPECT_EQ(next_of_chain(noise, Bytes(33, std::byte{5})), 0U);
  }
  EXPECT_FALSE(bounded_session({}).has_value());
}

}  // namespace
}  // namespace posthorn::signal
