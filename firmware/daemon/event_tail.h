#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "posthorn/api/api.h"

namespace posthorn::daemon {

/// The last notifications (100, and 256 KiB at most), for people who watch (`posthornctl follow`,
/// the demo): reading here takes nothing out of the inbox. GET
/// /waInstance{id}/watchEvents/{token}?after=N&wait=SECONDS answers
/// {"last": M, "events": [{"number": M, "event": {…}}, …]}, newest last; it waits up to `wait`
/// (0 .. 25 s) while there is nothing after N.
class EventTail {
 public:
  explicit EventTail(Scheduler& scheduler) : scheduler_(scheduler) {}

  void add(const std::string& body);
  [[nodiscard]] api::Route route();
  /// Answers whoever still waits.
  void stop();

 private:
  struct Event {
    std::uint64_t number = 0;
    std::string body;
  };
  struct Waiting {
    api::Call call;
    std::uint64_t after = 0;
    Mono until;
  };
  void answer(api::Call call, std::uint64_t after) const;
  void answer_due();

  Scheduler& scheduler_;
  std::deque<Event> events_;
  std::size_t bytes_ = 0;  ///< of their bodies
  std::uint64_t last_ = 0;
  std::deque<Waiting> waiting_;
  Timer timer_{scheduler_};
};

}  // namespace posthorn::daemon
