#include "posthorn/base/clock.h"

#include <algorithm>

namespace posthorn {

namespace {

/// Larger steps of a clock that has been told the time are doubted, and of one that guesses: a box
/// may lie on a shelf for a year.
constexpr hours kStep{1};
constexpr hours kStepOfAGuess{24 * 365};
/// Two words are the same when time has passed between them as it should.
constexpr minutes kSame{1};

}  // namespace

Clock::Clock(const Scheduler& scheduler, Wall built, Wall saved)
    : scheduler_(scheduler), built_(built), base_mono_(scheduler.now()), base_wall_(built) {
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
  const Mono at = scheduler_.now();
  const milliseconds difference = heard - (base_wall_ + (at - base_mono_));
  const milliseconds step = base_wall_.trusted ? kStep : kStepOfAGuess;
  const bool large = difference > step || difference < -step;
  if (large && !said_twice(heard)) return;
  doubted_.reset();
  // The server speaks in whole seconds: within one second we already agree.
  if (base_wall_.trusted && difference <= seconds(1) && difference >= seconds(-2)) return;
  // Until the first trusted word our own idea was a guess, so it may also be corrected backwards.
  if (large || !base_wall_.trusted) latest_ = heard;
  base_wall_ = heard;
  base_mono_ = at;
}

void Clock::on_system_time_synchronised() {
  on_server_time(scheduler_.system_wall().unix_seconds());
}

}  // namespace posthorn
