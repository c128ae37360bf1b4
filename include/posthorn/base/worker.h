#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "posthorn/base/function.h"
#include "posthorn/base/guard.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"

namespace posthorn {

/// Slow work off the loop: libuv's pool in the box, inline in tests.
class Worker {
 public:
  virtual ~Worker() = default;

  /// `work` runs on a pool thread and touches nothing that the loop touches; then `done` runs on
  /// the loop. `done` always runs, also at shutdown.
  virtual void run(Task work, Task done) = 0;
};

/// What `done` gets when the work threw (no memory): an error where T can be one, else an empty T.
template <class T>
T work_that_threw() {
  if constexpr (std::is_convertible_v<tl::unexpected<Error>, T>) {
    return fail(Errc::io, "work on a thread was given up; see the log");
  } else {
    return T{};
  }
}

/// The same with a value: `work()` makes a T on the pool, `done(T)` gets it on the loop.
template <class T>
void run_on(Worker& worker, Function<T()> work, Once<void(T)> done) {
  auto slot =
      std::make_shared<std::optional<T>>();  // shared: written by one thread, then read by another
  worker.run([slot, work = std::move(
                        work)]() mutable { guarded("worker", [&] { slot->emplace(work()); }); },
             [slot, done = std::move(done)]() mutable {
               done(slot->has_value() ? std::move(**slot) : work_that_threw<T>());
             });
}

}  // namespace posthorn
