#pragma once

#include <string>

#include "posthorn/base/config.h"

namespace posthorn::daemon {

inline constexpr const char* kZoneInfo = "/usr/share/zoneinfo";

/// Whether the zone is one that the C library will find in `folder`; it would silently take any
/// other name for UTC, and quiet hours would be an hour or twelve off. Empty: the system's zone.
/// Errors: malformed, "posthorn.toml:12: throttle.time_zone: no such zone: …".
[[nodiscard]] Result<void> check_time_zone(const ThrottleConfig& config,
                                           const std::string& folder = kZoneInfo);

/// Makes the zone the process's own; throttle::local_offset follows it.
void use_time_zone(const ThrottleConfig& config);

}  // namespace posthorn::daemon
