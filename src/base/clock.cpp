#include "posthorn/base/clock.h"

#include <algorithm>

namespace posthorn {

Clock::Clock(const Scheduler& scheduler, Wall floor)
    : scheduler_(scheduler), floor_(floor), base_mono_(scheduler.now()) {
  base_wall_ = std::max(floor, scheduler.system_wall());
  base_wall_.trusted = false;
  latest_ = base_wall_;
}

Wall Clock::now() const {
  const Wall counted = base_wall_ + (scheduler_.now() - base_mono_);
  latest_ = {std::max(counted.since_epoch, latest_.since_epoch), base_wall_.trusted};
  return latest_;
}

void Clock::on_server_time(std::int64_t unix_seconds) {
  if (unix_seconds < floor_.unix_seconds()) return;
  const Wall heard = Wall::from_unix(unix_seconds);
  const Wall before = now();
  // The server speaks in whole seconds: within one second we already agree.
  const milliseconds difference = heard - before;
  if (base_wall_.trusted && difference <= seconds(1) && difference >= seconds(-2)) return;
  // Until the first trusted word our own idea was a guess, so it may also be corrected backwards.
  if (!base_wall_.trusted) latest_ = heard;
  base_wall_ = heard;
  base_mono_ = scheduler_.now();
}

void Clock::on_system_time_synchronised() {
  const Wall system = scheduler_.system_wall();
  if (system >= floor_) on_server_time(system.unix_seconds());
}

}  // namespace posthorn
