#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "posthorn/queue/ring_file.h"
#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn::queue {

inline constexpr const char* kPath = "outbox.ring";

/// Answers only when told, like a disk that takes its time.
class HeldWorker final : public Worker {
 public:
  explicit HeldWorker(Scheduler& scheduler) : scheduler_(scheduler) {}
  void run(Task work, Task done) override { held.emplace_back(std::move(work), std::move(done)); }
  void release_one() {
    auto [work, done] = std::move(held.front());
    held.pop_front();
    work();
    scheduler_.post(std::move(done));
  }
  std::deque<std::pair<Task, Task>> held;

 private:
  Scheduler& scheduler_;
};

inline std::string large(char c, std::size_t length = 3000) { return std::string(length, c); }

/// A ring on a disk in memory, with time that moves when the test says so.
class RingTest : public testing::Test {
 protected:
  RingTest() { options.path = kPath, options.bytes = 256 * 1024; }

  void open() {
    ring.reset();
    auto opened = RingFile::open(disk, scheduler, worker, random, options);
    ASSERT_TRUE(opened) << to_string(opened.error());
    ring = std::move(*opened);
  }
  /// Power is lost, everything unsynced with it, and the box starts again.
  void cut_and_open() {
    ring.reset();
    scheduler.run_posted();
    const auto after = disk.after_cut([](std::size_t) { return test::MemDisk::Fate::lost; });
    for (const char* name : {kPath, "outbox.ring.new", "outbox.ring.damaged"}) {
      if (Bytes* content = after->content(name)) disk.put(name, *content);
    }
    open();
  }

  Result<Sequence> append(std::string_view text, Worth worth = Worth::normal) {
    Result<Sequence> answer = fail(Errc::timeout, "not answered");
    ring->append(to_bytes(text), at, worth, [&](Result<Sequence> r) { answer = std::move(r); });
    scheduler.run_posted();
    return answer;
  }
  Result<std::string> peek(Sequence sequence) {
    Result<std::string> answer = fail(Errc::timeout, "not answered");
    ring->peek(sequence, [&](Result<Bytes> r) {
      if (r) {
        answer = to_string(ByteView(*r));
      } else {
        answer = tl::unexpected(r.error());
      }
    });
    scheduler.run_posted();
    return answer;
  }
  Result<void> flush() {
    Result<void> answer = fail(Errc::timeout, "not answered");
    ring->flush([&](Result<void> r) { answer = std::move(r); });
    scheduler.run_posted();
    return answer;
  }
  /// Every pending payload, read back from disk.
  std::vector<std::string> pending() {
    std::vector<std::string> all;
    EXPECT_TRUE(ring->for_each_pending(
        [&](const Entry&, ByteView payload) { all.push_back(to_string(payload)); }));
    return all;
  }

  /// Reads that touch these bytes of any file fail while `broken`.
  void install_bad_range(const bool& broken) {
    disk.bad_range = [this, &broken](std::uint64_t offset, std::size_t length) {
      return broken && offset < bad_range.second && bad_range.first < offset + length;
    };
  }
  std::pair<std::uint64_t, std::uint64_t> bad_range;

  test::FakeScheduler scheduler;
  test::InlineWorker worker{scheduler};
  test::SeededRandom random;
  test::MemDisk disk;
  RingFile::Options options;
  std::unique_ptr<RingFile> ring;
  Wall at = Wall::from_unix(1'790'000'000);
};

}  // namespace posthorn::queue
