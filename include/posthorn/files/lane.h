#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "posthorn/base/worker.h"

namespace posthorn::files {

/// One piece of work after the other on the Worker, in order, so that however many files are on
/// their way, messages find a free thread for their syncs. What has been given to it is done and
/// answered even when whoever gave it has gone. Held by shared_ptr; worker outlives it.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  explicit Lane(Worker& worker) : worker_(worker) {}

  /// As Worker::run().
  void run(Task work, Task done) {
    jobs_.push_back({std::move(work), std::move(done)});
    if (!busy_) next();
  }

 private:
  struct Job {
    Task work;
    Task done;
  };

  void next() {
    busy_ = !jobs_.empty();
    if (!busy_) return;
    auto job = std::make_shared<Job>(std::move(jobs_.front()));  // shared: by the two halves
    jobs_.pop_front();
    worker_.run([job] { job->work(); },
                [job, self = shared_from_this()] {
                  job->work = nullptr;
                  self->next();
                  job->done();
                });
  }

  Worker& worker_;
  std::deque<Job> jobs_;
  bool busy_ = false;
};

/// run_on() for a lane.
template <class T>
void run_on(Lane& lane, Function<T()> work, Once<void(T)> done) {
  auto slot = std::make_shared<std::optional<T>>();  // shared: written there, then read here
  lane.run([slot, work = std::move(
                      work)]() mutable { guarded("worker", [&] { slot->emplace(work()); }); },
           [slot, done = std::move(done)]() mutable {
             done(slot->has_value() ? std::move(**slot) : work_that_threw<T>());
           });
}

}  // namespace posthorn::files
