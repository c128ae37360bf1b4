#include "posthorn/store/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/protocol.h"
#include "store/temporary_folder.h"
#include "support/fakes.h"

namespace posthorn::store {
namespace {

using signal::Address;
using signal::SignedPreKeyState;

const Wall kNow = Wall::from_unix(1'790'000'000);

/// A shop's or customer's side on a real file.
class StoreTest : public ::testing::Test {
 protected:
  void open(const Store::Options& options = {}) {
    protocol_.reset();
    store_.reset();
    auto opened = Store::open(path_, worker_, options);
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    set_aside_ = opened->set_aside;
    damage_ = opened->damage;
    store_ = std::move(opened->store);
    protocol_ = std::make_unique<signal::Protocol>(*store_, random_);
  }
  void SetUp() override { open(); }

  std::vector<signal::PreKey> keys_to_offer(std::size_t count) {
    std::vector<signal::PreKey> keys;
    protocol_->pre_keys_to_offer(count, worker_, [&keys](Result<std::vector<signal::PreKey>> made) {
      ASSERT_TRUE(made.has_value());
      keys = *made;
    });
    scheduler_.run_posted();
    return keys;
  }
  Result<void> durable() {
    std::optional<Result<void>> answer;
    store_->durable([&answer](Result<void> result) { answer = std::move(result); });
    EXPECT_FALSE(answer.has_value()) << "durable() answers in a later turn";
    scheduler_.run_posted();
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(fail(Errc::timeout, "no answer"));
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "posthorn.db";
  test::FakeScheduler scheduler_;
  test::InlineWorker worker_{scheduler_};
  test::SeededRandom random_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<signal::Protocol> protocol_;
  std::string set_aside_;
  std::string damage_;
};

TEST_F(StoreTest, KeepsNamedValuesAcrossReopen) {
  EXPECT_EQ(*store_->load("settings"), std::nullopt);
  ASSERT_TRUE(store_->save("settings", to_bytes("one")).has_value());
  ASSERT_TRUE(store_->save("settings", to_bytes("two")).has_value());
  ASSERT_TRUE(store_->save("empty", {}).has_value());
  open();
  EXPECT_EQ(to_string(**store_->load("settings")), "two");
  EXPECT_EQ(**store_->load("empty"), Bytes());
  ASSERT_TRUE(store_->erase("settings").has_value());
  EXPECT_EQ(*store_->load("settings"), std::nullopt);
}

TEST_F(StoreTest, FilesAreForItsUserOnly) {
  ASSERT_TRUE(store_->save("x", to_bytes("y")).has_value());
  for (const char* suffix : {"", "-wal"}) {
    const auto mode = std::filesystem::status(path_ + suffix).permissions();
    EXPECT_EQ(mode & static_cast<std::filesystem::perms>(077), std::filesystem::perms::none)
        << suffix;
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + "-shm")) << "the WAL's index stays in memory";
}

TEST_F(StoreTest, MakesItsIdentityOnce) {
  const auto first = protocol_->own_identity(kNow);
  ASSERT_TRUE(first.has_value());
  EXPECT_GE(first->registration_id, 1U);
  EXPECT_LE(first->registration_id, 16380U);
  const auto signed_key = protocol_->current_signed_pre_key();
  ASSERT_TRUE(signed_key.has_value());
  EXPECT_EQ(signed_key->id, 1U);
  EXPECT_TRUE(signal::verify(first->key.public_key,
                             signal::with_type_byte(signed_key->key.public_key),
                             signed_key->signature));
  open();
  EXPECT_EQ(*protocol_->own_identity(kNow), *first);
  EXPECT_EQ(*protocol_->current_signed_pre_key(), *signed_key);
}

TEST_F(StoreTest, OffersThePreKeysOfATimedOutUploadAgain) {
  const auto first = keys_to_offer(5);
  ASSERT_EQ(first.size(), 5U);
  EXPECT_EQ(first[0].id, 1U);
  open();
  EXPECT_EQ(keys_to_offer(5), first);
  std::vector<std::uint32_t> ids;
  for (const auto& key : first) ids.push_back(key.id);
  ASSERT_TRUE(store_->mark_offered(ids).has_value());
  const auto second = keys_to_offer(3);
  ASSERT_EQ(second.size(), 3U);
  EXPECT_EQ(second[0].id, 6U);
  EXPECT_EQ(keys_to_offer(4).size(), 4U);
}

TEST_F(StoreTest, RetryPreKeyComesFromTheSameCounterAndIsNeverUploaded) {
  const auto waiting = keys_to_offer(2);
  const auto retry = protocol_->pre_key_for_retry();
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->id, 3U);
  EXPECT_EQ(**store_->pre_key(3), *retry);
  EXPECT_EQ(keys_to_offer(2), waiting);
  EXPECT_EQ(keys_to_offer(3).back().id, 4U);
}

TEST_F(StoreTest, RetryPreKeyIsTheSameUntilItIsUsed) {
  const auto first = protocol_->pre_key_for_retry();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(protocol_->pre_key_for_retry(first->id)->id, first->id);
  signal::KeyChanges used;
  used.used_pre_key = first->id;
  ASSERT_TRUE(store_->apply(used).has_value());
  EXPECT_NE(protocol_->pre_key_for_retry(first->id)->id, first->id);
}

TEST_F(StoreTest, RetryPreKeysAreNotUploadedWhenTheServerLostItsOwn) {
  const auto keys = keys_to_offer(1);
  ASSERT_TRUE(store_->mark_offered(std::vector{keys[0].id}).has_value());
  ASSERT_TRUE(protocol_->pre_key_for_retry().has_value());
  ASSERT_TRUE(store_->mark_none_offered().has_value());
  EXPECT_EQ(*store_->unoffered_pre_key_count(), 1U);
}

TEST_F(StoreTest, TheOldestRetryPreKeysGo) {
  ASSERT_TRUE(
      store_->database().execute("INSERT INTO counters VALUES ('pre_key', 16777000)").has_value());
  const auto waiting = keys_to_offer(2);
  const std::vector<signal::KeyPair> pairs(1'500, signal::make_key_pair(random_));
  const auto first = store_->add_pre_keys(pairs, signal::PreKeyState::in_retry);
  const auto second = store_->add_pre_keys(pairs, signal::PreKeyState::in_retry);
  ASSERT_TRUE(first && second);
  EXPECT_LT(second->back(), first->front()) << "the counter begins anew";
  EXPECT_FALSE(store_->pre_key((*first)[999])->has_value());
  EXPECT_TRUE(store_->pre_key((*first)[1'000])->has_value());
  EXPECT_TRUE(store_->pre_key(second->back())->has_value());
  EXPECT_EQ(keys_to_offer(2), waiting);
}

TEST_F(StoreTest, PreKeyIdsWrapInsideThreeBytes) {
  ASSERT_TRUE(
      store_->database().execute("INSERT INTO counters VALUES ('pre_key', 16777214)").has_value());
  std::vector<signal::KeyPair> pairs(3, signal::make_key_pair(random_));
  EXPECT_EQ(*store_->add_pre_keys(pairs, signal::PreKeyState::unoffered),
            (std::vector<std::uint32_t>{0xFFFFFE, 0xFFFFFF, 1}));
  EXPECT_EQ(*store_->add_pre_keys(pairs, signal::PreKeyState::unoffered),
            (std::vector<std::uint32_t>{2, 3, 4}));
}

TEST_F(StoreTest, OfferedPreKeysCanBeOfferedAgainWhenTheServerLostThem) {
  const auto keys = keys_to_offer(2);
  const std::vector<std::uint32_t> ids{keys[0].id, keys[1].id};
  ASSERT_TRUE(store_->mark_offered(ids).has_value());
  EXPECT_EQ(*store_->unoffered_pre_key_count(), 0U);
  ASSERT_TRUE(store_->mark_none_offered().has_value());
  EXPECT_EQ(keys_to_offer(2), keys);
}

TEST_F(StoreTest, RotationKeepsTheTwoPreviousSignedPreKeys) {
  ASSERT_TRUE(protocol_->own_identity(kNow).has_value());
  for (std::uint32_t id = 2; id <= 5; ++id) {
    const auto next = protocol_->next_signed_pre_key(kNow);
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(next->id, id);
    EXPECT_EQ(*protocol_->next_signed_pre_key(kNow), *next) << "the pending one is kept";
    ASSERT_TRUE(store_->make_current(id).has_value());
    EXPECT_EQ(protocol_->current_signed_pre_key()->id, id);
  }
  EXPECT_TRUE(store_->signed_pre_key(5)->has_value());
  EXPECT_TRUE(store_->signed_pre_key(4)->has_value());
  EXPECT_TRUE(store_->signed_pre_key(3)->has_value());
  EXPECT_FALSE(store_->signed_pre_key(2)->has_value());
  EXPECT_FALSE(store_->signed_pre_key(1)->has_value());
}

TEST_F(StoreTest, RefusedSignedPreKeyIsMadeAnew) {
  ASSERT_TRUE(protocol_->own_identity(kNow).has_value());
  const auto refused = protocol_->next_signed_pre_key(kNow);
  ASSERT_TRUE(store_->discard_pending_signed_pre_key().has_value());
  EXPECT_EQ(store_->make_current(refused->id).error().code, Errc::not_found);
  EXPECT_EQ(protocol_->current_signed_pre_key()->id, 1U) << "a failed turn changes nothing";
  const auto again = protocol_->next_signed_pre_key(kNow);
  EXPECT_EQ(again->id, 3U);
  EXPECT_NE(again->key, refused->key);
}

TEST_F(StoreTest, AppliesChangesWholeAndInsideACallersTransaction) {
  const Address peer{"1@lid", 2};
  const signal::SenderKeyName name{"g@g.us", peer};
  signal::KeyChanges changes;
  changes.session = {peer, to_bytes("session")};
  changes.peer_identity = {peer, signal::make_key_pair(random_).public_key};
  changes.sender_key = {name, to_bytes("sender key")};
  changes.used_pre_key = keys_to_offer(1)[0].id;
  {
    auto transaction = store_->begin();
    ASSERT_TRUE(store_->apply(changes).has_value());
    EXPECT_TRUE(*store_->has_session(peer));
  }
  EXPECT_FALSE(*store_->has_session(peer));
  EXPECT_EQ(*store_->peer_identity(peer), std::nullopt);
  EXPECT_EQ(*store_->sender_key(name), std::nullopt);
  EXPECT_TRUE(store_->pre_key(*changes.used_pre_key)->has_value());
  ASSERT_TRUE(store_->apply(changes).has_value());
  open();
  EXPECT_EQ(to_string(**store_->session(peer)), "session");
  EXPECT_EQ(**store_->peer_identity(peer), changes.peer_identity->key);
  EXPECT_EQ(to_string(**store_->sender_key(name)), "sender key");
  EXPECT_FALSE(store_->pre_key(*changes.used_pre_key)->has_value());
}

TEST_F(StoreTest, MovesAPeerFromNumberToLid) {
  const auto put = [this](const Address& address, const std::string& record) {
    signal::KeyChanges changes;
    changes.session = {address, to_bytes(record)};
    changes.peer_identity = {address, signal::PublicKey{static_cast<std::byte>(record.size())}};
    changes.sender_key = {{"g@g.us", address}, to_bytes(record)};
    ASSERT_TRUE(store_->apply(changes).has_value());
  };
  put({"49@s.whatsapp.net", 0}, "phone");
  put({"49@s.whatsapp.net", 7}, "old");
  put({"7@lid", 7}, "newer");
  put({"50@s.whatsapp.net", 0}, "other");
  EXPECT_TRUE(*store_->move_peer("49@s.whatsapp.net", "7@lid"));
  EXPECT_FALSE(*store_->move_peer("49@s.whatsapp.net", "7@lid"));
  EXPECT_EQ(to_string(**store_->session({"7@lid", 0})), "phone");
  EXPECT_EQ(to_string(**store_->session({"7@lid", 7})), "newer");
  EXPECT_EQ(to_string(**store_->sender_key({"g@g.us", {"7@lid", 0}})), "phone");
  EXPECT_EQ((**store_->peer_identity({"7@lid", 7}))[0], std::byte{5});
  EXPECT_FALSE(*store_->has_session({"49@s.whatsapp.net", 0}));
  EXPECT_FALSE(*store_->has_session({"49@s.whatsapp.net", 7}));
  EXPECT_EQ(*store_->peer_identity({"49@s.whatsapp.net", 7}), std::nullopt);
  EXPECT_TRUE(*store_->has_session({"50@s.whatsapp.net", 0}));
}

TEST_F(StoreTest, ForgetsAPeerWithAllDevices) {
  signal::KeyChanges changes;
  changes.session = {{"7@lid", 1}, to_bytes("s")};
  changes.peer_identity = {{"7@lid", 1}, {}};
  ASSERT_TRUE(store_->apply(changes).has_value());
  ASSERT_TRUE(store_->forget_peer("7@lid").has_value());
  EXPECT_FALSE(*store_->has_session({"7@lid", 1}));
  EXPECT_EQ(*store_->peer_identity({"7@lid", 1}), std::nullopt);
}

/// Bytes that this process has written to files.
std::int64_t written_bytes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::int64_t value = 0;
  while (io >> name >> value) {
    if (name == "wchar:") return value;
  }
  return 0;
}

/// One message in 41 sessions each, the 512th: the library alone would keep 2,000 keys of each and
/// write up to 36 MB with every one.
TEST_F(StoreTest, APeerThatJumpsAheadCostsLittleFlash) {
  ASSERT_TRUE(protocol_->own_identity(kNow).has_value());
  signal::MemoryKeyStore keys;
  test::SeededRandom chance(3);
  signal::Protocol attacker(keys, chance);
  ASSERT_TRUE(attacker.own_identity(kNow).has_value());
  const auto own = protocol_->own_identity(kNow);
  const auto signed_key = protocol_->current_signed_pre_key();
  signal::Bundle bundle;
  bundle.registration_id = own->registration_id;
  bundle.identity = own->key.public_key;
  bundle.signed_pre_key_id = signed_key->id;
  bundle.signed_pre_key = signed_key->key.public_key;
  bundle.signature = signed_key->signature;
  std::vector<Bytes> messages;
  for (int i = 0; i < 41; ++i) {
    ASSERT_TRUE(attacker.process_bundle({"1@lid", 0}, bundle).has_value());
    for (int k = 0; k < 511; ++k) static_cast<void>(attacker.encrypt({"1@lid", 0}, Bytes()));
    messages.push_back(attacker.encrypt({"1@lid", 0}, Bytes())->bytes);
  }
  const std::int64_t before = written_bytes();
  for (const Bytes& message : messages) {
    ASSERT_TRUE(protocol_->decrypt_pkmsg({"2@lid", 0}, message).has_value());
    ASSERT_TRUE(durable().has_value());
  }
  EXPECT_LT(store_->session({"2@lid", 0})->value().size(), 32'769U);
  EXPECT_GT(written_bytes(), before);
  EXPECT_LT(written_bytes() - before, 4'000'000);
}

TEST_F(StoreTest, AMemberWithKeysForAnyNumberOfGroupsKeepsTheNewest) {
  signal::KeyChanges changes;
  for (int i = 0; i < 300; ++i) {
    changes.sender_key = {{std::to_string(i) + "@g.us", {"2@lid", 0}}, to_bytes("k")};
    ASSERT_TRUE(store_->apply(changes).has_value());
  }
  EXPECT_FALSE(store_->sender_key({"99@g.us", {"2@lid", 0}})->has_value());
  EXPECT_TRUE(store_->sender_key({"100@g.us", {"2@lid", 0}})->has_value());
  EXPECT_TRUE(store_->sender_key({"299@g.us", {"2@lid", 0}})->has_value());
}

TEST_F(StoreTest, StrangersByTheThousandPushOutTheOldest) {
  {
    auto transaction = store_->begin();
    ASSERT_TRUE(transaction.has_value());
    signal::KeyChanges changes;
    for (int i = 0; i < 20'480; ++i) {
      changes.session = {{std::to_string(i) + "@lid", 0}, to_bytes("s")};
      ASSERT_TRUE(store_->apply(changes).has_value());
    }
    ASSERT_TRUE(transaction->commit().has_value());
  }
  EXPECT_FALSE(*store_->has_session({"479@lid", 0}));
  EXPECT_TRUE(*store_->has_session({"480@lid", 0}));
  EXPECT_TRUE(*store_->has_session({"20479@lid", 0}));
}

TEST_F(StoreTest, LogoutForgetsKeysAndKeepsNamedValues) {
  const auto before = protocol_->own_identity(kNow);
  keys_to_offer(2);
  ASSERT_TRUE(store_->save("settings", to_bytes("kept")).has_value());
  ASSERT_TRUE(store_->clear_signal().has_value());
  EXPECT_EQ(*store_->own_identity(), std::nullopt);
  EXPECT_EQ(*store_->unoffered_pre_key_count(), 0U);
  EXPECT_NE(protocol_->own_identity(kNow)->key, before->key);
  EXPECT_EQ(to_string(**store_->load("settings")), "kept");
}

TEST_F(StoreTest, DurableAnswersEverybodyWithOneSync) {
  ASSERT_TRUE(store_->save("x", to_bytes("y")).has_value());
  int answers = 0;
  for (int i = 0; i < 10; ++i) {
    store_->durable([&answers](Result<void> result) { answers += result ? 1 : 100; });
  }
  scheduler_.run_posted();
  EXPECT_EQ(answers, 10);
  EXPECT_TRUE(durable().has_value()) << "also when nothing was written since";
}

TEST_F(StoreTest, WaitingCallbacksAreCancelledAtTheEnd) {
  ASSERT_TRUE(store_->save("x", to_bytes("y")).has_value());
  std::vector<Errc> answers;
  for (int i = 0; i < 2; ++i) {
    store_->durable([&answers](Result<void> result) {
      answers.push_back(result ? Errc::malformed : result.error().code);
    });
  }
  protocol_.reset();
  store_.reset();
  scheduler_.run_posted();
  EXPECT_EQ(answers, (std::vector<Errc>{Errc::cancelled, Errc::cancelled}));
}

TEST_F(StoreTest, CheckpointKeepsTheWalSmall) {
  Store::Options options;
  options.checkpoint_pages = 20;
  open(options);
  std::uintmax_t largest = 0;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(store_->save("k" + std::to_string(i), Bytes(1000, std::byte{7})).has_value());
    ASSERT_TRUE(durable().has_value());
    largest = std::max(largest, std::filesystem::file_size(path_ + "-wal"));
  }
  EXPECT_LT(largest, 40U * 2072);
  open();
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(store_->load("k" + std::to_string(i))->has_value()) << i;
  }
}

TEST_F(StoreTest, DamagedFileIsSetAsideAndAFreshOneBegun) {
  ASSERT_TRUE(store_->save("x", to_bytes("y")).has_value());
  for (int round = 1; round <= 5; ++round) {
    protocol_.reset();
    store_.reset();
    std::string content = read_file(path_);
    ASSERT_GT(content.size(), 8192U);
    if (round % 2 == 0) {
      content.replace(0, 16, "not a database!!");
    } else {
      std::fill(content.begin() + 4096, content.end(), '\x5a');
    }
    write_file(path_, content);
    open();
    EXPECT_EQ(set_aside_, path_ + ".damaged-" + std::to_string(round));
    EXPECT_FALSE(damage_.empty());
    EXPECT_EQ(read_file(set_aside_), content);
    EXPECT_EQ(*store_->load("x"), std::nullopt);
    ASSERT_TRUE(store_->save("x", to_bytes("z")).has_value());
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged-1"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged-2"));
  EXPECT_TRUE(std::filesystem::exists(path_ + ".damaged-3"));
  open();
  EXPECT_EQ(set_aside_, "");
  EXPECT_EQ(to_string(**store_->load("x")), "z");
}

TEST_F(StoreTest, AnyContentAsFileOpens) {
  for (int seed = 0; seed < 36; ++seed) {
    protocol_.reset();
    store_.reset();
    test::SeededRandom random(static_cast<std::uint64_t>(seed));
    std::string content = read_file(path_);
    if (seed % 3 == 0) content = to_string(random.bytes(random.between(1, 20000)));
    for (int i = 0; i < 8 && !content.empty(); ++i) {
      content[random.between(0, content.size() - 1)] = static_cast<char>(random.between(0, 255));
    }
    if (seed % 3 == 1) content.resize(random.between(0, content.size()));
    write_file(path_, content);
    if (seed % 4 == 0) write_file(path_ + "-wal", to_string(random.bytes(9000)));
    open();
    if (HasFatalFailure()) return;
    EXPECT_TRUE(store_->save("x", to_bytes("y")).has_value()) << seed;
  }
}

TEST_F(StoreTest, OneProcessAtATime) {
  // The lock belongs to the open file, so a second opening in this process meets it as well.
  const auto second = Store::open(path_, worker_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::busy);
  protocol_.reset();
  store_.reset();
  EXPECT_TRUE(Store::open(path_, worker_).has_value());
}

TEST_F(StoreTest, FileOfANewerReleaseThatBrokeWithOursIsLeftAlone) {
  ASSERT_TRUE(store_->database()
                  .execute("UPDATE schema_versions SET version = 1000 WHERE part = 'store'")
                  .has_value());
  protocol_.reset();
  store_.reset();
  const auto opened = Store::open(path_, worker_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::unsupported);
  EXPECT_NE(opened.error().detail.find("install that release again"), std::string::npos);
}

}  // namespace
}  // namespace posthorn::store
