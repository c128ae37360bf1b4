#pragma once

#include <algorithm>

#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::chat {

/// Keeps questions of one kind away from a server that has said 429: at least a minute, doubled
/// every time up to an hour. Source: chapter 09 section 10.
class UsyncPause {
 public:
  [[nodiscard]] bool holds(Mono now) const { return now < until_; }
  /// True when the error is a 429.
  bool on_error(const Error& error, Mono now) {
    if (error.code != Errc::refused || !error.detail.starts_with("429")) return false;
    until_ = now + next_;
    next_ = std::min<milliseconds>(next_ * 2, kLongest);
    return true;
  }
  void on_success() { next_ = kFirst; }

 private:
  static constexpr milliseconds kFirst = minutes(1);
  static constexpr milliseconds kLongest = hours(1);

  Mono until_{};
  milliseconds next_ = kFirst;
};

}  // namespace posthorn::chat
