#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/worker.h"

namespace posthorn::loop {

/// Closes a libuv handle and frees it in the close callback, the only place where that is allowed.
/// Wrap a handle only after its init succeeded.
struct UvClose {
  template <class H>
  void operator()(H* handle) const {
    handle->data = nullptr;  // callbacks still under way see no owner
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* dead) { delete reinterpret_cast<H*>(dead); });
  }
};
template <class H>
using UvHandle = std::unique_ptr<H, UvClose>;

/// The one loop: the real Scheduler. All of the program's objects live and die on its thread.
class Loop final : public Scheduler {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// Runs until every handle has closed; a handle that somebody leaked is an assertion.
  ~Loop() override;

  /// Until stop(), or until nothing is left to wait for.
  void run();
  void stop();
  /// One turn, waiting for events at most `at_most`.
  void run_once(milliseconds at_most);

  [[nodiscard]] uv_loop_t* uv() { return &loop_; }
  /// Memory for one read, shared by all streams: valid until the read's callback returns.
  [[nodiscard]] std::span<char> read_buffer() { return read_buffer_; }

  [[nodiscard]] Mono now() const override;
  [[nodiscard]] Wall system_wall() const override;
  TimerId call_at(Mono when, Task task) override;
  void cancel(TimerId id) override;
  void post(Task task) override;

 private:
  struct Due {
    Mono when;
    std::uint64_t order;
    auto operator<=>(const Due&) const = default;
  };
  void arm();
  void run_due();
  void run_posted();

  uv_loop_t loop_{};
  UvHandle<uv_timer_t> timer_;
  UvHandle<uv_idle_t> idle_;
  std::map<Due, Task> timers_;
  std::map<std::uint64_t, Mono> due_by_id_;
  std::deque<Task> posted_;
  std::uint64_t next_id_ = 1;
  std::vector<char> read_buffer_;
};

/// Watches a file descriptor that somebody else owns.
class Poll {
 public:
  enum Events : int { readable = UV_READABLE, writable = UV_WRITABLE };

  /// on_ready(events) runs whenever one of `events` holds; events may be 0 until watch().
  Poll(Loop& loop, int descriptor, int events, std::function<void(int)> on_ready);
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  /// Changes what is waited for; 0 waits for nothing.
  void watch(int events);

 private:
  UvHandle<uv_poll_t> handle_;
  std::function<void(int)> on_ready_;
};

/// SIGTERM and friends as ordinary callbacks. Does not keep the loop running.
class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal_number, std::function<void()> on_signal);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  UvHandle<uv_signal_t> handle_;
  std::function<void()> on_signal_;
};

/// libuv's pool. Set UV_THREADPOOL_SIZE before the first use to change its 4 threads.
class PoolWorker final : public Worker {
 public:
  explicit PoolWorker(Loop& loop) : loop_(loop) {}
  PoolWorker(const PoolWorker&) = delete;
  PoolWorker& operator=(const PoolWorker&) = delete;
  /// Runs the loop until all that was given to it is answered, what an answer gives to it too.
  ~PoolWorker() override;

  void run(Task work, Task done) override;

 private:
  Loop& loop_;
  std::size_t under_way_ = 0;
};

/// mbedTLS's CTR-DRBG over getrandom(2).
class SystemRandom final : public Random {
 public:
  SystemRandom();
  SystemRandom(const SystemRandom&) = delete;
  SystemRandom& operator=(const SystemRandom&) = delete;
  ~SystemRandom() override;
  void fill(std::span<std::byte> out) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthorn::loop
