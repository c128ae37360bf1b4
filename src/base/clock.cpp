#include "posthorn/base/clock.h"

#include <algorithm>

namespace posthorn {

namespace {

/// Larger steps are doubted.
constexpr hours kStep{1};
/// So long a box may lie on a shelf.
constexpr hours kShelf{24 * 365};
/// Two words are the same when time has passed between them as it should.
constexpr minutes kSame{1};

}  // namespace

Clock::Clock(const Scheduler& scheduler, Wall built, Wall saved)
    : scheduler_(scheduler), built_(built), base_mono_(scheduler.now()), base_wall_(built) {
  if (possible(saved)) saved_ = saved;
  for (const Wall guess : {saved, scheduler.system_wall()}) {
    if (possible(guess)) base_wall_ = std::max(base_wall_, guess);
  }
  base_wall_.trusted = false;
  latest_ = base_wall_;
}

bool Clock::possible(Wall wall) const { return wall >= built_ && wall <= built_ + kLifetime; }

Wall Clock::now() const {
  const Wall counted = base_wall_ + (scheduler_.now() - base_mono_);
  latest_ = {std::max(counted.since_epoch, latest_.since_epoch), base_wall_.trusted};
  return latest_;
}

bool Clock::doubtful(Wall heard) const {
  const milliseconds passed = scheduler_.now() - base_mono_;
  if (base_wall_.trusted) {
    const milliseconds step = heard - (base_wall_ + passed);
    return step > kStep || step < -kStep;
  }
  if (!saved_) return false;  // what the board's own clock says is no evidence
  const milliseconds step = heard - (*saved_ + passed);
  return step > kShelf || step < -kStep;
}

bool Clock::said_twice(Wall heard) {
  const Mono at = scheduler_.now();
  const milliseconds off =
      doubted_ ? heard - (doubted_->wall + (at - doubted_->at)) : milliseconds(kStep);
  if (off <= kSame && off >= -milliseconds(kSame)) return true;
  doubted_ = Heard{heard, at};
  return false;
}

void Clock::on_server_time(std::int64_t unix_seconds) {
  const Wall heard = Wall::from_unix(unix_seconds);
  if (!possible(heard)) return;
  const bool doubted = doubtful(heard);
  if (doubted && !said_twice(heard)) return;
  doubted_.reset();
  // The server speaks in whole seconds: within one second we already agree.
  const Mono at = scheduler_.now();
  const milliseconds difference = heard - (base_wall_ + (at - base_mono_));
  if (base_wall_.trusted && difference <= seconds(1) && difference >= seconds(-2)) return;
  // Until the first trusted word our own idea was a guess, so it may also be corrected backwards.
  if (doubted || !base_wall_.trusted) latest_ = heard;
  base_wall_ = heard;
  base_mono_ = at;
}

void Clock::on_system_time_synchronised() {
  on_server_time(scheduler_.system_wall().unix_seconds());
}

}  // namespace posthorn
