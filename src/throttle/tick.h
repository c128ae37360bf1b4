#pragma once

#include <cstdint>
#include <limits>

namespace posthorn::throttle {

/// Policy time in milliseconds. Starts at the calendar time of the first start, then moves only
/// forward: with monotonic time while the box runs, and by what a trusted clock says has passed
/// while it did not (policy section 12). Everything stored is in ticks, so no clock jump moves a
/// window.
using Tick = std::int64_t;

inline constexpr Tick kSecond = 1'000;
inline constexpr Tick kMinute = 60 * kSecond;
inline constexpr Tick kHour = 60 * kMinute;
inline constexpr Tick kDay = 24 * kHour;
inline constexpr Tick kNever = std::numeric_limits<Tick>::max();

/// Now, as decide() needs it.
struct Moment {
  Tick now = 0;
  std::int64_t wall_ms = 0;        ///< calendar time, UTC
  std::int64_t utc_offset_ms = 0;  ///< of the shop's clock
  bool trusted = true;             ///< false: stage 0 limits, no quiet hours

  [[nodiscard]] std::int64_t to_wall(Tick at) const { return at + (wall_ms - now); }
  [[nodiscard]] Tick to_tick(std::int64_t at_wall_ms) const { return at_wall_ms - (wall_ms - now); }
};

/// Seconds of policy time, for records: enough until 2106.
[[nodiscard]] inline std::uint32_t to_stamp(Tick at) {
  return at <= 0 ? 0 : static_cast<std::uint32_t>(at / kSecond);
}
[[nodiscard]] inline Tick from_stamp(std::uint32_t stamp) { return Tick{stamp} * kSecond; }

}  // namespace posthorn::throttle
