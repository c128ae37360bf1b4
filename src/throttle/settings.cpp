#include "posthorn/throttle/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace posthorn::throttle {
namespace {

// The ranges of policy section 3, 5.2 and 6.
constexpr std::array kTable{
    SettingInfo{"gap_reply_min_ms", 500, 10'000, &Settings::gap_reply_min_ms},
    SettingInfo{"gap_reply_max_ms", 500, 10'000, &Settings::gap_reply_max_ms},
    SettingInfo{"gap_known_min_ms", 3'000, 120'000, &Settings::gap_known_min_ms},
    SettingInfo{"gap_known_max_ms", 3'000, 120'000, &Settings::gap_known_max_ms},
    SettingInfo{"gap_first_min_ms", 20'000, 600'000, &Settings::gap_first_min_ms},
    SettingInfo{"gap_first_max_ms", 20'000, 600'000, &Settings::gap_first_max_ms},
    SettingInfo{"gap_any_ms", 500, 60'000, &Settings::gap_any_ms},
    SettingInfo{"gap_chat_ms", 1'000, 60'000, &Settings::gap_chat_ms},
    SettingInfo{"minute_limit", 1, 20, &Settings::minute_limit},
    SettingInfo{"minute_reply_limit", 5, 60, &Settings::minute_reply_limit},
    SettingInfo{"hour_limit", 10, 200, &Settings::hour_limit},
    SettingInfo{"day_limit", 0, 1'000, &Settings::day_limit},
    SettingInfo{"day_total_limit", 100, 5'000, &Settings::day_total_limit},
    SettingInfo{"checks_hour_limit", 1, 100, &Settings::checks_hour_limit},
    SettingInfo{"checks_day_limit", 1, 300, &Settings::checks_day_limit},
    SettingInfo{"double_post_s", 0, 600, &Settings::double_post_s},
    SettingInfo{"quiet_from_min", 0, 1'439, &Settings::quiet_from_min},
    SettingInfo{"quiet_to_min", 0, 1'439, &Settings::quiet_to_min},
    SettingInfo{"delay_ms", 500, 600'000, &Settings::delay_ms},
};

Result<void> check_range(const SettingInfo& info, std::int64_t value) {
  if (value >= info.low && value <= info.high) return {};
  return fail(Errc::refused, std::string(info.name) + " must be within " +
                                 std::to_string(info.low) + " .. " + std::to_string(info.high) +
                                 ", not " + std::to_string(value));
}

Result<void> check_pair(std::string_view what, std::int64_t low, std::int64_t high) {
  if (low <= high) return {};
  return fail(Errc::refused, std::string(what) + "_min_ms must not be larger than " +
                                 std::string(what) + "_max_ms");
}

std::string known_names() {
  std::string names;
  for (const SettingInfo& info : kTable)
    names += (names.empty() ? "" : ", ") + std::string(info.name);
  return names;
}

/// "21:00" as the minute of the day.
Result<std::int64_t> parse_time_of_day(std::string_view text) {
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  const auto number = [](std::string_view digits, std::int64_t& out) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
  };
  const std::size_t colon = text.find(':');
  const bool shaped = colon != std::string_view::npos && number(text.substr(0, colon), hour) &&
                      number(text.substr(colon + 1), minute);
  if (!shaped || hour < 0 || hour > 23 || minute < 0 || minute > 59)
    return fail(Errc::malformed, "\"" + std::string(text) + "\" is no time of day such as 21:00");
  return hour * 60 + minute;
}

}  // namespace

std::span<const SettingInfo> setting_table() { return kTable; }

Result<void> check_settings(const Settings& settings) {
  for (const SettingInfo& info : kTable) TRY(check_range(info, settings.*info.member));
  TRY(check_pair("gap_reply", settings.gap_reply_min_ms, settings.gap_reply_max_ms));
  TRY(check_pair("gap_known", settings.gap_known_min_ms, settings.gap_known_max_ms));
  TRY(check_pair("gap_first", settings.gap_first_min_ms, settings.gap_first_max_ms));
  if (settings.day_limit != 0 && settings.day_limit < 10)
    return fail(Errc::refused, "day_limit must be 0 (warm-up table) or within 10 .. 1000");
  return {};
}

Result<void> change_setting(Settings& settings, std::string_view name, std::int64_t value) {
  const auto info = std::find_if(kTable.begin(), kTable.end(),
                                 [name](const SettingInfo& each) { return each.name == name; });
  if (info == kTable.end())
    return fail(Errc::not_found,
                "no setting \"" + std::string(name) + "\"; there are: " + known_names());
  TRY(check_range(*info, value));
  settings.*(info->member) = value;
  return {};
}

Result<Settings> settings_from(const ThrottleConfig& config) {
  Settings settings;
  TRY(settings.quiet_from_min, parse_time_of_day(config.quiet_from));
  TRY(settings.quiet_to_min, parse_time_of_day(config.quiet_to));
  return settings;
}

}  // namespace posthorn::throttle
