#include "throttle/policy_clock.h"

#include <algorithm>
#include <utility>

namespace posthorn::throttle {
namespace {
/// 0 means "never" in records, so ticks do not begin near it even when the board boots in 1970.
constexpr Tick kFirstTick = 1'600'000'000LL * kSecond;
/// The server speaks in whole seconds; less than this is no jump.
constexpr Tick kTolerance = 2 * kSecond;
/// Longer than every window, lock and lane: more time without power changes nothing.
constexpr Tick kLongestOff = 60 * kDay;
}  // namespace

void PolicyClock::start(const Saved& saved, Mono mono, Wall wall) {
  mono_ = mono;
  tick_ = saved.newest != 0 ? saved.newest : std::max(kFirstTick, wall.since_epoch.count());
  anchored_ = saved.tick != 0;
  awaits_ = anchored_;
  anchor_tick_ = saved.tick;
  anchor_wall_ = saved.wall_ms;
}

Tick PolicyClock::now(Mono mono, Wall wall, Tick& jumped) {
  jumped = 0;
  tick_ += std::max<Tick>(0, (mono - mono_).count());
  mono_ = std::max(mono_, mono);
  if (!wall.trusted) return tick_;
  const std::int64_t wall_ms = wall.since_epoch.count();
  // While the box runs its own clock knows how much time has passed: whatever the calendar does
  // then is a correction, or a mistake that a later word puts right.
  if (std::exchange(awaits_, false)) {
    const Tick by_wall = anchor_tick_ + (wall_ms - anchor_wall_);
    if (by_wall > tick_ + kTolerance) {
      jumped = std::min(by_wall - tick_, kLongestOff);
      tick_ += jumped;
    }
  }
  anchored_ = true;
  anchor_tick_ = tick_;
  anchor_wall_ = wall_ms;
  return tick_;
}

}  // namespace posthorn::throttle
