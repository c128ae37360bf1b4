#pragma once

#include "posthorn/base/time.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

/// Turns the box's clocks into ticks (see tick.h). While the box runs, ticks follow the monotonic
/// clock. Calendar time moves them only when it is trusted and says that more has passed, which is
/// how the time without power is counted. Calendar time that jumps back changes nothing: ticks go
/// on.
class PolicyClock {
 public:
  /// tick, wall_ms, trusted: as saved last; tick 0: the first start ever.
  void start(Tick tick, std::int64_t wall_ms, bool trusted, Mono mono, Wall wall);
  /// Never less than before. `jumped`: by how much trusted calendar time moved it ahead just now.
  Tick now(Mono mono, Wall wall, Tick& jumped);

 private:
  Tick tick_ = 0;
  Mono mono_;
  bool anchored_ = false;  ///< there is a trusted pair to compare with
  Tick anchor_tick_ = 0;
  std::int64_t anchor_wall_ = 0;
};

}  // namespace posthorn::throttle
