#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "posthorn/base/time.h"

namespace posthorn::receipts {

/// How much may be kept of what tills print. No shop comes near it; without it, whoever reaches a
/// printer's port could fill the queue of the disk and wear out the card.
class Intake {
 public:
  static constexpr std::uint64_t kJobs = 120;                       ///< at once
  static constexpr milliseconds kPerJob{1000};                      ///< then one more in that time
  static constexpr std::uint64_t kBytes = std::uint64_t{32} << 20;  ///< at once
  static constexpr std::uint64_t kBytesPerSecond = 64U << 10;

  /// Whether a job of that size may be kept now; true takes it off.
  [[nodiscard]] bool take(std::size_t bytes, Mono now) {
    refill(now);
    if (jobs_ < kPerJob || bytes_ < bytes) return false;
    jobs_ -= kPerJob;
    bytes_ -= bytes;
    return true;
  }
  /// Whether any job may be kept now.
  [[nodiscard]] bool open(Mono now) {
    refill(now);
    return jobs_ >= kPerJob && bytes_ > 0;
  }

 private:
  void refill(Mono now) {
    const milliseconds passed = now - at_;
    at_ = now;
    jobs_ = std::min<milliseconds>(jobs_ + passed, kPerJob * kJobs);
    const auto ms = static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(passed.count(), 0, milliseconds(hours(1)).count()));
    bytes_ = std::min(kBytes, bytes_ + ms * kBytesPerSecond / 1000);
  }

  Mono at_;
  milliseconds jobs_ = kPerJob * kJobs;  ///< time that stands for jobs
  std::uint64_t bytes_ = kBytes;
};

}  // namespace posthorn::receipts
