#pragma once

#include <optional>

#include "posthorn/base/random.h"
#include "posthorn/base/time.h"

namespace posthorn::session {

/// How long to wait before the next attempt: 1, 1, 2, 3, 5, 8 .. seconds, at most `cap`, +-10 %.
/// Source: protocol chapter 01 section 10 (the web client's own policy).
class BackOff {
 public:
  explicit BackOff(seconds cap = seconds(900)) : cap_(cap) {}

  /// The wait before the next attempt; each call is one failure more.
  [[nodiscard]] milliseconds next(Random& random, Mono now);
  /// Told to slow down (429): five steps that a reset does not take back, only a quiet day does.
  void penalise(Mono now);
  /// The connection was stable.
  void reset() { step_ = 0; }
  /// A person wants it now.
  void forgive() {
    penalty_ = 0;
    penalised_at_.reset();
  }
  [[nodiscard]] unsigned step() const { return step_ + penalty_; }

 private:
  static constexpr unsigned kMostSteps = 40;
  static constexpr hours kQuietDay{24};

  seconds cap_;
  unsigned step_ = 0;
  unsigned penalty_ = 0;
  std::optional<Mono> penalised_at_;
};

/// value +-10 %, so that a street full of boxes does not come back in step.
[[nodiscard]] milliseconds with_jitter(milliseconds value, Random& random);

}  // namespace posthorn::session
