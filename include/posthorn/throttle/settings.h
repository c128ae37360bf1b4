#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "posthorn/base/config.h"
#include "posthorn/base/result.h"

namespace posthorn::throttle {

/// The defaults of the throttle policy (section 3, 5, 6) that an operator may change inside their
/// ranges. The member defaults are the policy's; setting_table() has the ranges.
struct Settings {
  std::int64_t gap_reply_min_ms = 1'000;
  std::int64_t gap_reply_max_ms = 3'000;
  std::int64_t gap_known_min_ms = 6'000;
  std::int64_t gap_known_max_ms = 14'000;
  std::int64_t gap_first_min_ms = 30'000;
  std::int64_t gap_first_max_ms = 90'000;
  std::int64_t gap_any_ms = 1'000;       ///< between any two sends
  std::int64_t gap_chat_ms = 6'000;      ///< between two sends to one chat
  std::int64_t minute_limit = 6;         ///< known + first in 60 s, times the pace factor
  std::int64_t minute_reply_limit = 20;  ///< replies in 60 s
  std::int64_t hour_limit = 60;          ///< known + first in 1 h, times the pace factor
  std::int64_t day_limit = 0;            ///< known + first in 24 h; 0: the warm-up table decides
  std::int64_t day_total_limit = 5'000;  ///< everything in 24 h
  std::int64_t checks_hour_limit = 30;   ///< "on WhatsApp?" questions in 1 h
  std::int64_t checks_day_limit = 100;   ///< ... in 24 h
  std::int64_t double_post_s = 10;       ///< 0: off
  std::int64_t quiet_from_min = std::int64_t{21} * 60;  ///< minute of the local day
  std::int64_t quiet_to_min = std::int64_t{8} * 60;     ///< same as quiet_from_min: no quiet hours
  std::int64_t delay_ms =
      500;  ///< delaySendMessagesMilliseconds: lower bound between any two sends

  /// Test only: no gaps, no windows, no warm-up, no quiet hours, no number check. The daemon sets
  /// it from its [throttle] section only, and only while [whatsapp] url points at loopback.
  bool unpaced_for_benchmarks = false;

  bool operator==(const Settings&) const = default;
};

/// One row per setting: its name as in posthorn.toml and the API, and what is allowed.
struct SettingInfo {
  std::string_view name;
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::int64_t Settings::*member = nullptr;
};
[[nodiscard]] std::span<const SettingInfo> setting_table();

/// One value of several: after the last of them ask check_settings(), which compares minima with
/// maxima, so that a pair may be moved in any order.
/// Errors: not_found (no such setting; the known ones are listed), refused (outside the range; the
/// range is named). `settings` is unchanged after an error.
[[nodiscard]] Result<void> change_setting(Settings& settings, std::string_view name,
                                          std::int64_t value);

/// Every value inside its range and every min at most its max. Errors: refused, as above.
[[nodiscard]] Result<void> check_settings(const Settings& settings);

/// The part of posthorn.toml that is about quiet hours ("21:00"). Errors: malformed.
[[nodiscard]] Result<Settings> settings_from(const ThrottleConfig& config);

}  // namespace posthorn::throttle
