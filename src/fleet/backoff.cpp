#include "fleet/backoff.h"

#include <algorithm>

namespace posthorn::fleet {

milliseconds Backoff::around(milliseconds middle) {
  const auto half = static_cast<std::uint64_t>(middle.count() / 2);
  const auto low = static_cast<std::uint64_t>(middle.count()) - half;
  const auto drawn = static_cast<std::int64_t>(random_.between(low, low + 2 * half));
  return std::min<milliseconds>(milliseconds(drawn), kAtMost);
}

milliseconds Backoff::next(Loss why, milliseconds lasted) {
  if (lasted >= kProven) {
    failures_ = 0;
    takeovers_ = 0;
  }
  // Two boxes with one certificate throw each other out: each stays away longer and longer, so that
  // neither fills the broker's log, and both are seen now and then.
  if (why == Loss::taken_over) {
    takeovers_ = std::min(takeovers_ + 1, 4);
    return around(seconds(30) * (1 << takeovers_));
  }
  if (lasted > milliseconds(0) && failures_ == 0) {
    failures_ = 1;
    const auto most = static_cast<std::uint64_t>(milliseconds(spread_).count());
    return milliseconds(
        static_cast<std::int64_t>(random_.between(200, std::max<std::uint64_t>(most, 201))));
  }
  failures_ = std::min(failures_ + 1, 8);
  const milliseconds middle = milliseconds(spread_) * (1 << (failures_ - 1)) / 2;
  return around(std::clamp<milliseconds>(middle, milliseconds(500), kAtMost));
}

}  // namespace posthorn::fleet
