#include "session/back_off.h"

#include <algorithm>
#include <utility>

namespace posthorn::session {
namespace {

seconds fibonacci(unsigned step, seconds cap) {
  std::int64_t a = 1;
  std::int64_t b = 1;
  for (unsigned i = 0; i < step && a < cap.count(); ++i) b += std::exchange(a, b);
  return seconds(std::min<std::int64_t>(a, cap.count()));
}

}  // namespace

milliseconds with_jitter(milliseconds value, Random& random) {
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count() / 10, 0));
  const auto offset = static_cast<std::int64_t>(random.between(0, 2 * spread));
  return milliseconds(value.count() - static_cast<std::int64_t>(spread) + offset);
}

void BackOff::penalise(Mono now) {
  penalty_ = std::min(penalty_ + 5, kMostSteps);
  penalised_at_ = now;
}

milliseconds BackOff::next(Random& random, Mono now) {
  if (penalised_at_ && now - *penalised_at_ >= kQuietDay) forgive();
  const milliseconds wait = fibonacci(step(), cap_);
  step_ = std::min(step_ + 1, kMostSteps);
  return with_jitter(wait, random);
}

}  // namespace posthorn::session
