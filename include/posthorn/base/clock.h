#pragma once

#include "posthorn/base/scheduler.h"
#include "posthorn/base/time.h"

namespace posthorn {

/// What time the box believes it is. A Pi-class board boots in 1970 or at the last saved time, so:
/// start from the largest of system time, the time saved last and the build time; believe the
/// server's `t` as soon as there is one; from then on count monotonic time from it.
/// Time never goes backwards here: a step back is held until real time has caught up.
/// Source: protocol chapter 04 section 9, throttle policy section 12.
class Clock {
 public:
  /// floor: the largest of the build time and the time saved last.
  Clock(const Scheduler& scheduler, Wall floor);

  /// Never less than an earlier answer. `trusted` is true once the server has told us the time.
  [[nodiscard]] Wall now() const;

  /// The server's clock as heard just now. Values before the build or saved time are ignored.
  void on_server_time(std::int64_t unix_seconds);
  /// Network time (systemd-timesyncd says the system clock is synchronised): believe the system.
  void on_system_time_synchronised();

 private:
  const Scheduler& scheduler_;
  Wall floor_;
  Mono base_mono_;
  Wall base_wall_;
  mutable Wall latest_;
};

}  // namespace posthorn
