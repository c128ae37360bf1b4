#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace posthorn::board {

/// What the hardware says of itself. nullopt is "unknown": the board has no such sensor, or this
/// kernel does not show it. It is never shown as "all right".
struct Health {
  std::optional<int> temperature_celsius;
  /// eMMC only: worn share in percent (steps of ten, 110: past its life).
  std::optional<int> storage_worn_percent;
  /// eMMC only: its spare blocks are running out.
  std::optional<bool> storage_near_end;
  /// A hardware watchdog is armed: a kernel that hangs is reset.
  std::optional<bool> watchdog_armed;
  /// Debian's kernels have no under-voltage flag for the Pi, so there: always unknown.
  std::optional<bool> under_voltage;
};

/// sysfs: "/sys" on the box, a folder with the same files in tests.
/// watchdog: the board's device, "/dev/watchdog0"; empty: the board has none.
[[nodiscard]] Health read_health(const std::string& sysfs, const std::string& watchdog = "");

}  // namespace posthorn::board
