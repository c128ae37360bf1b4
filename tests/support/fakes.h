#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/base/worker.h"

namespace posthorn::test {

/// Time that moves when the test says so: a day passes in a millisecond.
class FakeScheduler final : public Scheduler {
 public:
  Mono now() const override { return now_; }
  Wall system_wall() const override { return wall_at_start + now_.since_start; }
  TimerId call_at(Mono when, Task task) override;
  void cancel(TimerId id) override;
  void post(Task task) override;

  /// Runs what is due until then, in order, posted tasks first.
  void advance(milliseconds by);
  /// Runs posted tasks, and those they post, without moving time.
  void run_posted();
  /// Runs one posted task; false when there is none.
  bool run_one_posted();
  /// Moves to the next timer and runs it; false when there is none.
  bool run_next();
  [[nodiscard]] bool idle() const { return posted_.empty() && timers_.empty(); }

  Wall wall_at_start = Wall::from_unix(1'790'000'000, false);

 private:
  struct Due {
    Mono when;
    std::uint64_t order;
    auto operator<=>(const Due&) const = default;
  };
  Mono now_{milliseconds(1000)};
  std::uint64_t next_id_ = 1;
  std::map<Due, Task> timers_;
  std::deque<Task> posted_;
};

/// Repeats exactly for a seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : engine_(seed) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::mt19937_64 engine_;
};

/// Runs the work at once; done runs in a later turn, as on the real loop.
class InlineWorker final : public Worker {
 public:
  explicit InlineWorker(Scheduler& scheduler) : scheduler_(scheduler) {}
  void run(Task work, Task done) override;

 private:
  Scheduler& scheduler_;
};

/// A BlobStore that is durable as soon as the loop turns.
class MemoryBlobStore final : public BlobStore {
 public:
  explicit MemoryBlobStore(Scheduler& scheduler) : scheduler_(scheduler) {}
  Result<std::optional<Bytes>> load(std::string_view name) override;
  Result<void> save(std::string_view name, ByteView value) override;
  void durable(Once<void(Result<void>)> done) override;

  std::map<std::string, Bytes, std::less<>> values;

 private:
  Scheduler& scheduler_;
};

/// Two joined streams. What one writes the other reads, in later turns of the loop, cut into pieces
/// of at most `chunk` bytes; `cut()` breaks the line for both.
struct StreamPair {
  std::unique_ptr<Stream> a;
  std::unique_ptr<Stream> b;
  std::function<void()> cut;
};
[[nodiscard]] StreamPair make_stream_pair(Scheduler& scheduler, std::size_t chunk = 65536);

/// A Dialer whose connections end at `accept(stream)` (the server's side), in a later turn. Without
/// `accept` set, or with `refuse` true, dialling is refused.
class MemoryDialer final : public Dialer {
 public:
  explicit MemoryDialer(Scheduler& scheduler) : scheduler_(scheduler) {}
  std::unique_ptr<Dial> dial(const Endpoint& endpoint,
                             Once<void(Result<std::unique_ptr<Stream>>)> done) override;

  std::function<void(std::unique_ptr<Stream>)> accept;
  bool refuse = false;
  /// What a refused connection ends with.
  Error refusal{Errc::refused, "nobody listens"};
  std::size_t chunk = 65536;
  std::size_t dialled = 0;
  /// Breaks the newest connection.
  std::function<void()> cut;

 private:
  Scheduler& scheduler_;
};

}  // namespace posthorn::test
