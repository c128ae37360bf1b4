#pragma once

#include <optional>

#include "posthorn/base/scheduler.h"
#include "posthorn/base/time.h"

namespace posthorn {

/// What time the box believes it is. A Pi-class board boots in 1970 or at the last saved time, so:
/// start from the largest of system time, the time saved last and the build time; believe the
/// server's `t` as soon as there is one; from then on count monotonic time from it.
/// Time never goes backwards here: a step back is held until real time has caught up. A step of
/// more than an hour, ahead or back, is taken when the server has said it twice, so that one wrong
/// word moves nothing and true ones mend a wrong one. So is a first word that is more than a year
/// after the time saved last, or before it.
/// Source: protocol chapter 04 section 9, throttle policy section 12.
class Clock {
 public:
  /// How long after it was built a program is thought to be in use: no later time is believed.
  static constexpr hours kLifetime{24 * 365 * 15};

  /// built: no time before it is believed, whoever says it. saved: the time known last, if any; it
  /// may have been wrong.
  Clock(const Scheduler& scheduler, Wall built, Wall saved = {});

  /// Never less than an earlier answer, but for a step that was said twice. `trusted` is true once
  /// the server has told us the time.
  [[nodiscard]] Wall now() const;

  /// The server's clock as heard just now. What lies outside of the program's life is ignored.
  void on_server_time(std::int64_t unix_seconds);
  /// Network time (systemd-timesyncd says the system clock is synchronised): believe the system.
  void on_system_time_synchronised();

 private:
  /// A word that waits for a second one.
  struct Heard {
    Wall wall;
    Mono at;
  };
  [[nodiscard]] bool possible(Wall wall) const;
  [[nodiscard]] bool doubtful(Wall heard) const;
  [[nodiscard]] bool said_twice(Wall heard);

  const Scheduler& scheduler_;
  Wall built_;
  std::optional<Wall> saved_;
  Mono base_mono_;
  Wall base_wall_;
  mutable Wall latest_;
  std::optional<Heard> doubted_;
};

}  // namespace posthorn
