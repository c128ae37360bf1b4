#pragma once

#include <functional>
#include <optional>

#include "posthorn/base/clock.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::daemon {

/// When a pause of sending ends by itself. Not kept over a restart, as the pause itself is not.
class TimedPause {
 public:
  static constexpr minutes kAtMost{7 * 24 * 60};

  TimedPause(Scheduler& scheduler, const Clock& clock)
      : scheduler_(scheduler), clock_(clock), timer_(scheduler) {}

  /// end runs after so long, unless forget() comes before; in place of what was set before.
  void end_after(minutes lasts, std::function<void()> end);
  void forget();
  /// By the clock as it goes now; nullopt: no pause, or one without an end.
  [[nodiscard]] std::optional<Wall> until() const;

 private:
  const Scheduler& scheduler_;
  const Clock& clock_;
  Timer timer_;
  std::optional<Mono> until_;
};

}  // namespace posthorn::daemon
