#pragma once

#include <cstdint>

#include "posthorn/base/function.h"
#include "posthorn/base/time.h"

namespace posthorn {

/// Time and "later", from outside: libuv in the box, FakeScheduler in tests.
/// Everything is called on the one loop thread.
class Scheduler {
 public:
  enum class TimerId : std::uint64_t { none = 0 };

  virtual ~Scheduler() = default;

  [[nodiscard]] virtual Mono now() const = 0;
  /// The operating system's calendar time, with `trusted` false: Clock decides what to believe.
  [[nodiscard]] virtual Wall system_wall() const = 0;
  /// Runs the task once, at `when` or as soon after as the loop can; never inside this call.
  virtual TimerId call_at(Mono when, Task task) = 0;
  /// Drops the task unrun. Safe for ids that have run.
  virtual void cancel(TimerId id) = 0;
  /// Runs the task in a later turn of the loop.
  virtual void post(Task task) = 0;
};

/// One pending call that ends with its owner.
class Timer {
 public:
  explicit Timer(Scheduler& scheduler) : scheduler_(scheduler) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  /// Replaces what was pending.
  void start(milliseconds after, Task task) { start_at(scheduler_.now() + after, std::move(task)); }
  void start_at(Mono when, Task task);
  void stop();
  [[nodiscard]] bool active() const { return id_ != Scheduler::TimerId::none; }

 private:
  Scheduler& scheduler_;
  Scheduler::TimerId id_ = Scheduler::TimerId::none;
};

}  // namespace posthorn
