#include "daemon/timed_pause.h"

#include <utility>

namespace posthorn::daemon {

void TimedPause::end_after(minutes lasts, std::function<void()> end) {
  until_ = clock_.now() + lasts;
  timer_.start(lasts, [this, end = std::move(end)] {
    until_.reset();
    end();
  });
}

void TimedPause::forget() {
  timer_.stop();
  until_.reset();
}

}  // namespace posthorn::daemon
