#include "daemon/timed_pause.h"

#include <utility>

namespace posthorn::daemon {

void TimedPause::end_after(minutes lasts, std::function<void()> end) {
  until_ = scheduler_.now() + lasts;
  timer_.start(lasts, [this, end = std::move(end)] {
    until_.reset();
    end();
  });
}

std::optional<Wall> TimedPause::until() const {
  if (!until_) return std::nullopt;
  return clock_.now() + (*until_ - scheduler_.now());
}

void TimedPause::forget() {
  timer_.stop();
  until_.reset();
}

}  // namespace posthorn::daemon
