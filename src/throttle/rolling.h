#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "throttle/tick.h"

namespace posthorn::throttle {

/// Counts what happened in the last Buckets * kLength milliseconds, as ring counters. One bucket
/// more than the window is kept and counted, so a count is never below the exact one.
template <std::size_t Buckets, Tick Length>
class Rolling {
 public:
  static constexpr std::size_t kSlots = Buckets + 1;

  void add(Tick now, std::uint32_t count = 1) {
    advance(now);
    std::uint16_t& slot = slots_[index(newest_)];
    slot = static_cast<std::uint16_t>(std::min<std::uint32_t>(slot + count, 0xffff));
  }

  [[nodiscard]] std::uint32_t used(Tick now) const {
    std::uint32_t sum = 0;
    for (std::int64_t b = oldest(now); b <= newest_; ++b) sum += slots_[index(b)];
    return sum;
  }

  /// When used() falls below `limit` if nothing is added; `now` when it already is.
  [[nodiscard]] Tick free_at(Tick now, std::uint32_t limit) const {
    std::uint32_t sum = used(now);
    if (sum < limit) return now;
    if (limit == 0) return kNever;
    for (std::int64_t b = oldest(now); b <= newest_; ++b) {
      sum -= slots_[index(b)];
      if (sum < limit) return (b + static_cast<std::int64_t>(kSlots)) * Length;
    }
    return now;
  }

  /// Takes back up to `count`, oldest first: what stays leaves the window no earlier than it
  /// should.
  void refund(Tick now, std::uint32_t count) {
    for (std::int64_t b = oldest(now); b <= newest_ && count > 0; ++b) {
      std::uint16_t& slot = slots_[index(b)];
      const std::uint32_t take = std::min<std::uint32_t>(slot, count);
      slot = static_cast<std::uint16_t>(slot - take);
      count -= take;
    }
  }

  /// One that was counted at that moment never happened.
  void take_back(Tick counted) {
    const std::int64_t bucket = counted / Length;
    if (bucket > newest_ || bucket < oldest(counted)) return;
    std::uint16_t& slot = slots_[index(bucket)];
    if (slot > 0) --slot;
  }

  template <class Archive>
  void fields(Archive& archive) {
    archive(newest_);
    for (std::uint16_t& slot : slots_) archive(slot);
    // Bytes that no clock of ours wrote: an empty window rather than arithmetic past its limits.
    if (newest_ < 0 || newest_ > kLatest) *this = Rolling();
  }

 private:
  /// The end of the year 9999, in buckets.
  static constexpr std::int64_t kLatest = 253'402'300'799 * kSecond / Length;

  static std::size_t index(std::int64_t bucket) {
    return static_cast<std::size_t>(bucket % static_cast<std::int64_t>(kSlots));
  }
  [[nodiscard]] std::int64_t oldest(Tick now) const {
    const std::int64_t by_now = now / Length - static_cast<std::int64_t>(Buckets);
    const std::int64_t by_ring = newest_ - static_cast<std::int64_t>(Buckets);
    return std::max<std::int64_t>({by_now, by_ring, 0});
  }
  void advance(Tick now) {
    const std::int64_t bucket = std::max(now / Length, newest_);
    const std::int64_t steps = std::min(bucket - newest_, static_cast<std::int64_t>(kSlots));
    for (std::int64_t i = 0; i < steps; ++i) slots_[index(bucket - i)] = 0;
    newest_ = bucket;
  }

  std::int64_t newest_ = 0;
  std::array<std::uint16_t, kSlots> slots_{};
};

using MinuteWindow = Rolling<60, kSecond>;
using HourWindow = Rolling<60, kMinute>;
using DayWindow = Rolling<96, 15 * kMinute>;
using MonthWindow = Rolling<30, kDay>;

}  // namespace posthorn::throttle
