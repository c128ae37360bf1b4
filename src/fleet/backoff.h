#pragma once

#include "posthorn/base/random.h"
#include "posthorn/base/time.h"
#include "posthorn/fleet/broker.h"

namespace posthorn::fleet {

/// When to try the broker again. After a broker's restart all boxes of a fleet come at once: so the
/// first try is anywhere in `spread`, and the ones after it are further and further apart, each
/// +- 50 %, at most five minutes.
class Backoff {
 public:
  static constexpr seconds kAtMost{300};
  /// A connection that lasted so long has shown that all is well.
  static constexpr seconds kProven{120};

  Backoff(Random& random, seconds spread) : random_(random), spread_(spread) {}

  /// lasted: how long the connection was there; 0: it never was.
  [[nodiscard]] milliseconds next(Loss why, milliseconds lasted);

 private:
  [[nodiscard]] milliseconds around(milliseconds middle);

  Random& random_;
  seconds spread_;
  int failures_ = 0;
  int takeovers_ = 0;
};

}  // namespace posthorn::fleet
