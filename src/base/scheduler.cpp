#include "posthorn/base/scheduler.h"

namespace posthorn {

void Timer::start_at(Mono when, Task task) {
  stop();
  id_ = scheduler_.call_at(when, [this, task = std::move(task)]() mutable {
    id_ = Scheduler::TimerId::none;
    // Moved out first: the task may start this timer again, or destroy it.
    Task due = std::move(task);
    due();
  });
}

void Timer::stop() {
  if (id_ == Scheduler::TimerId::none) return;
  scheduler_.cancel(std::exchange(id_, Scheduler::TimerId::none));
}

}  // namespace posthorn
