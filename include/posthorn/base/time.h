#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace posthorn {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// A moment on a clock that only moves forward and starts anywhere: for intervals and time-outs.
struct Mono {
  milliseconds since_start{0};

  auto operator<=>(const Mono&) const = default;
};
inline Mono operator+(Mono t, milliseconds d) { return {t.since_start + d}; }
inline Mono operator-(Mono t, milliseconds d) { return {t.since_start - d}; }
inline milliseconds operator-(Mono a, Mono b) { return a.since_start - b.since_start; }

/// A moment in the calendar (UTC), with 64 bits whatever time_t has. `trusted` is false while the
/// board only guesses: no clock battery, no network time, no word from the server yet.
struct Wall {
  static constexpr std::int64_t kYear1 = -62'135'596'800;
  static constexpr std::int64_t kYear9999 = 253'402'300'799;

  milliseconds since_epoch{0};
  bool trusted = false;

  [[nodiscard]] std::int64_t unix_seconds() const {
    return std::chrono::duration_cast<seconds>(since_epoch).count();
  }
  /// Whatever a peer wrote: held to the calendar's years 1 to 9999, so that counting with it in
  /// milliseconds never overflows.
  [[nodiscard]] static Wall from_unix(std::int64_t unix_seconds, bool trusted = true) {
    return {seconds(std::clamp(unix_seconds, kYear1, kYear9999)), trusted};
  }
  bool operator==(const Wall&) const = default;
  std::strong_ordering operator<=>(const Wall& other) const {
    return since_epoch <=> other.since_epoch;
  }
};
inline Wall operator+(Wall t, milliseconds d) { return {t.since_epoch + d, t.trusted}; }
inline Wall operator-(Wall t, milliseconds d) { return {t.since_epoch - d, t.trusted}; }
inline milliseconds operator-(Wall a, Wall b) { return a.since_epoch - b.since_epoch; }

/// "2026-03-02T09:15:04.120Z"
[[nodiscard]] std::string to_iso8601(Wall wall);

}  // namespace posthorn
