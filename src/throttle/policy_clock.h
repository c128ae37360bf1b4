#pragma once

#include "posthorn/base/time.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

/// Turns the box's clocks into ticks (see tick.h). While the box runs, ticks follow the monotonic
/// clock. Calendar time moves them once in a run: the first trusted word says how long the box was
/// without power. Later words change nothing, so that one wrong time from the server, however far
/// away, neither empties the windows nor lets jobs expire.
class PolicyClock {
 public:
  /// What was known when the box ran last.
  struct Saved {
    Tick newest = 0;  ///< ticks have come at least this far; 0: the first start ever
    Tick tick = 0;    ///< the last moment known in both times; 0: calendar time was never trusted
    std::int64_t wall_ms = 0;
  };
  void start(const Saved& saved, Mono mono, Wall wall);
  /// Never less than before. `jumped`: by how much trusted calendar time moved it ahead just now.
  Tick now(Mono mono, Wall wall, Tick& jumped);
  /// To be saved. Kept through runs in which nobody told the time.
  [[nodiscard]] Saved saved() const { return {tick_, anchor_tick_, anchor_wall_}; }
  /// Calendar time was trusted in an earlier run and not yet in this one: nobody knows how long the
  /// box was off, and ticks may jump any moment. Nothing may be sent. (Each login brings the time.)
  [[nodiscard]] bool awaits_time() const { return awaits_; }

 private:
  Tick tick_ = 0;
  Mono mono_;
  bool awaits_ = false;
  bool anchored_ = false;  ///< there is a trusted pair to compare with
  Tick anchor_tick_ = 0;
  std::int64_t anchor_wall_ = 0;
};

}  // namespace posthorn::throttle
