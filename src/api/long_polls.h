#pragma once

#include <list>

#include "posthorn/api/api.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::api {

/// Requests of receiveNotification that wait for a notification. Like the cloud, all of them get
/// the same one.
class LongPolls {
 public:
  explicit LongPolls(Scheduler& scheduler) : scheduler_(scheduler) {}

  /// Answers `null` after `timeout`, unless answer_all() comes first.
  void wait(Call call, milliseconds timeout);
  /// Sends `text` to everybody who waits.
  void answer_all(const std::string& text);
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  struct Waiting {
    Waiting(Scheduler& scheduler, Call c) : call(std::move(c)), timer(scheduler) {}
    Call call;
    Timer timer;
  };

  Scheduler& scheduler_;
  std::list<Waiting> waiting_;
};

}  // namespace posthorn::api
