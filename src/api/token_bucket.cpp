#include "api/token_bucket.h"

#include <algorithm>

namespace posthorn::api {

TokenBucket::TokenBucket(double per_second)
    : per_ms_(per_second / 1000.0), capacity_(std::max(3.0, 2 * per_second)), tokens_(capacity_) {}

bool TokenBucket::take(Mono now) {
  if (per_ms_ <= 0) return true;
  const auto passed = static_cast<double>((now - filled_).count());
  tokens_ = std::min(capacity_, tokens_ + passed * per_ms_);
  filled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace posthorn::api
