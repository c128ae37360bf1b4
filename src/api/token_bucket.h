#pragma once

#include "posthorn/base/time.h"

namespace posthorn::api {

/// Lets `per_second` calls through in the long run, and a burst of twice that, but at least 3.
/// per_second 0: no limit.
class TokenBucket {
 public:
  explicit TokenBucket(double per_second);

  /// Takes one token if there is one.
  [[nodiscard]] bool take(Mono now);

 private:
  double per_ms_;
  double capacity_;
  double tokens_;
  Mono filled_{};
};

}  // namespace posthorn::api
