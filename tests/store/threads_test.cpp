#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "posthorn/store/store.h"
#include "store/temporary_folder.h"

namespace posthorn::store {
namespace {

/// Real threads, as libuv's pool; done comes back when the test's loop turns.
class ThreadWorker final : public Worker {
 public:
  ~ThreadWorker() override {
    for (auto& thread : threads_) thread.join();
    turn();
  }
  void run(Task work, Task done) override {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    threads_.emplace_back([this, work = std::move(work), done = std::move(done)]() mutable {
      work();
      const std::lock_guard lock(mutex_);
      done_.push_back(std::move(done));
      --running_;
      changed_.notify_one();
    });
  }
  /// Runs what is done.
  void turn() {
    std::deque<Task> ready;
    {
      const std::lock_guard lock(mutex_);
      ready.swap(done_);
    }
    for (Task& task : ready) task();
  }
  void wait_and_turn() {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return running_ == 0 || !done_.empty(); });
    }
    turn();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> done_;
  std::vector<std::thread> threads_;
  int running_ = 0;
};

TEST(StoreThreads, CommitsNeverMeetALockWhileTheWorkerSyncsAndCheckpoints) {
  const TemporaryFolder folder;
  constexpr int kCommits = 1500;
  ThreadWorker worker;
  Store::Options options;
  options.checkpoint_pages = 20;
  auto opened = Store::open(folder / "posthorn.db", worker, options);
  ASSERT_TRUE(opened.has_value());
  Store& store = *opened->store;
  int answers = 0;
  int asked = 0;
  for (int i = 0; i < kCommits; ++i) {
    auto transaction = store.begin();
    ASSERT_TRUE(transaction.has_value()) << to_string(transaction.error());
    const auto saved = store.save("key" + std::to_string(i % 50), Bytes(300, std::byte{1}));
    ASSERT_TRUE(saved.has_value()) << to_string(saved.error());
    const auto committed = transaction->commit();
    ASSERT_TRUE(committed.has_value()) << to_string(committed.error());
    if (i % 10 == 0) {
      ++asked;
      store.durable([&answers](Result<void> result) {
        EXPECT_TRUE(result.has_value());
        ++answers;
      });
    }
    if (i % 100 == 0) {
      worker.wait_and_turn();
    } else {
      worker.turn();
    }
  }
  while (answers < asked) worker.wait_and_turn();
  EXPECT_LT(store.database().wal_pages(), 8 * options.checkpoint_pages + 50);
  opened->store.reset();
  worker.wait_and_turn();
}

TEST(StoreThreads, StoreMayEndWhileTheWorkerIsBusy) {
  const TemporaryFolder folder;
  for (int round = 0; round < 20; ++round) {
    ThreadWorker worker;
    Store::Options options;
    options.checkpoint_pages = 1;
    auto opened = Store::open(folder / "posthorn.db", worker, options);
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    ASSERT_TRUE(opened->set_aside.empty());
    ASSERT_TRUE(opened->store->save("round", Bytes(5000, std::byte(round))).has_value());
    int answers = 0;
    opened->store->durable([&answers](Result<void>) { ++answers; });
    worker.wait_and_turn();
    opened->store->durable([&answers](Result<void>) { ++answers; });
    opened->store.reset();
    EXPECT_EQ(answers, 2);
  }
}

}  // namespace
}  // namespace posthorn::store
