#include "store/lease.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/store/store.h"
#include "signal/record_fields.h"
#include "signal/record_life.h"
#include "store/temporary_folder.h"
#include "support/fakes.h"

namespace posthorn::store {
namespace {

const Wall kNow = Wall::from_unix(1'790'000'000);
const signal::Address kCustomer{"2@lid", 0};

/// Holds work back until it is told to do it.
class SlowWorker final : public Worker {
 public:
  explicit SlowWorker(Scheduler& scheduler) : inline_(scheduler) {}
  void run(Task work, Task done) override {
    ++jobs;
    if (holds) return held.push_back({std::move(work), std::move(done)});
    inline_.run(std::move(work), std::move(done));
  }
  void work_on() {
    for (auto& [work, done] : std::exchange(held, {})) {
      inline_.run(std::move(work), std::move(done));
    }
  }
  bool holds = false;
  int jobs = 0;
  std::vector<std::pair<Task, Task>> held;

 private:
  test::InlineWorker inline_;
};

class LeaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    signal::Protocol customer(customer_, chance_);
    const auto own = customer.own_identity(kNow);
    const auto signed_key = customer.current_signed_pre_key();
    bundle_.registration_id = own->registration_id;
    bundle_.identity = own->key.public_key;
    bundle_.signed_pre_key_id = signed_key->id;
    bundle_.signed_pre_key = signed_key->key.public_key;
    bundle_.signature = signed_key->signature;
    ASSERT_TRUE(protocol_->own_identity(kNow).has_value());
    ASSERT_TRUE(protocol_->process_bundle(kCustomer, bundle_).has_value());
    sync();
  }
  void TearDown() override {
    worker_.work_on();
    stop();
  }
  void open() {
    auto opened = Store::open(path_, worker_);
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    store_ = std::move(opened->store);
    protocol_ = std::make_unique<signal::Protocol>(*store_, chance_);
  }
  void stop() {
    protocol_.reset();
    store_.reset();
    scheduler_.run_posted();
  }
  void sync() {
    store_->durable([](Result<void> result) { EXPECT_TRUE(result.has_value()); });
    scheduler_.run_posted();
  }
  /// Encrypts as a send does; true: it left without waiting.
  bool send() {
    {
      auto transaction = store_->begin(WrittenBy::the_next);
      EXPECT_TRUE(transaction.has_value());
      auto message = protocol_->encrypt(kCustomer, to_bytes("text"));
      EXPECT_TRUE(message.has_value());
      if (message) last_ = std::move(message->bytes);
      EXPECT_TRUE(transaction->commit().has_value());
    }
    // Shared: the answer of one that waits may come at the end of the test.
    auto left = std::make_shared<bool>(false);
    store_->leave([left](Result<void> result) { *left = result.has_value(); });
    return *left;
  }
  /// The number of the last message in its chain.
  std::uint64_t number() const {
    ByteView outer = ByteView(last_).subspan(1);
    ByteView inner;
    while (const auto field = signal::take_field(outer)) {
      if (field->number == 4) inner = field->value;
    }
    inner = inner.subspan(1, inner.size() - 9);  // version in front, MAC behind
    std::uint64_t number = 0;
    while (const auto field = signal::take_field(inner)) {
      if (field->number == 2) number = field->integer;
    }
    return number;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "posthorn.db";
  test::FakeScheduler scheduler_;
  SlowWorker worker_{scheduler_};
  test::SeededRandom chance_;
  signal::MemoryKeyStore customer_;
  signal::Bundle bundle_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<signal::Protocol> protocol_;
  Bytes last_;
};

TEST_F(LeaseTest, MessagesLeaveWithoutWaitingAndShareASync) {
  const int before = worker_.jobs;
  for (int i = 0; i < 320; ++i) {
    EXPECT_TRUE(send()) << i;
    scheduler_.run_posted();
  }
  EXPECT_GE(worker_.jobs - before, 320 / 64);
  EXPECT_LE(worker_.jobs - before, 320 / 32 + 1);
}

TEST_F(LeaseTest, AChainNeverRunsFurtherAheadThanTheLease) {
  worker_.holds = true;
  unsigned left = 0;
  while (left < 200 && send()) ++left;
  EXPECT_EQ(left, Lease::kAhead);
  static_assert(Lease::kAhead == signal::kRunAhead);
  worker_.work_on();
  scheduler_.run_posted();
  worker_.work_on();
  scheduler_.run_posted();
  EXPECT_TRUE(send());
}

TEST_F(LeaseTest, TheFirstMessageOfALifeWaitsForTheDisk) {
  stop();
  open();
  EXPECT_FALSE(send());
  scheduler_.run_posted();
  EXPECT_TRUE(send());
}

TEST_F(LeaseTest, AfterAStopTheNextNumberFollows) {
  send();
  EXPECT_EQ(number(), 0U);
  stop();
  open();
  send();
  EXPECT_EQ(number(), 1U);
}

TEST_F(LeaseTest, AfterAnythingElseAChainGoesOnBehindItsLeaseOnce) {
  send();
  sync();
  // The life after this one finds no word that it ended.
  ASSERT_TRUE(
      store_->database().execute("UPDATE counters SET value = value + 1 WHERE name = 'starts'"));
  stop();
  open();
  send();
  EXPECT_EQ(number(), 1U + signal::kRunAhead);
  send();
  EXPECT_EQ(number(), 2U + signal::kRunAhead);
}

TEST_F(LeaseTest, WhatWaitsForTheNextCommitIsSeenAtOnceAndWrittenWithIt) {
  Database& database = store_->database();
  const auto commits = database.commits();
  send();
  EXPECT_EQ(database.commits(), commits);
  EXPECT_TRUE(database.has_group());
  ASSERT_TRUE(store_->save("settings", to_bytes("x")).has_value());
  EXPECT_EQ(database.commits(), commits + 1);
  EXPECT_FALSE(database.has_group());
}

TEST_F(LeaseTest, ARefusedTransactionLeavesTheOthersOfItsGroup) {
  send();
  const auto record = *store_->session(kCustomer);
  {
    auto transaction = store_->begin(WrittenBy::the_next);
    ASSERT_TRUE(transaction.has_value());
    ASSERT_TRUE(protocol_->encrypt(kCustomer, to_bytes("never sent")).has_value());
  }
  EXPECT_EQ(*store_->session(kCustomer), record);
  EXPECT_TRUE(store_->database().has_group());
  ASSERT_TRUE(store_->write_waiting().has_value());
  EXPECT_EQ(*store_->session(kCustomer), record);
}

}  // namespace
}  // namespace posthorn::store
