#include "posthorn/board/sensors.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "posthorn/base/folder.h"

namespace posthorn::board {

namespace {

std::optional<std::string> first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<int> number_at(std::string_view text, int base) {
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::optional<int> number_in(const std::filesystem::path& path) {
  const auto line = first_line(path);
  return line ? number_at(*line, 10) : std::nullopt;
}

/// "0x02 0x01": the worse of the two areas, each in tenths of its life.
std::optional<int> worn_percent(const std::filesystem::path& life_time) {
  const auto line = first_line(life_time);
  if (!line) return std::nullopt;
  const auto a = number_at(*line, 16);
  const std::size_t space = line->find(' ');
  const auto b = space == std::string::npos
                     ? std::nullopt
                     : number_at(std::string_view(*line).substr(space + 1), 16);
  const int worst = std::max(a.value_or(0), b.value_or(0));
  if (worst <= 0 || worst > 11) return std::nullopt;  // 0: not told
  return worst * 10;
}

/// 0x01: fine, 0x02: 80 % of the spare blocks are used, 0x03: 90 %. Anything else says nothing.
std::optional<bool> near_end(const std::filesystem::path& pre_eol_info) {
  const auto line = first_line(pre_eol_info);
  const auto value = line ? number_at(*line, 16) : std::nullopt;
  if (!value || *value < 1 || *value > 3) return std::nullopt;
  return *value > 1;
}

}  // namespace

Health read_health(const std::string& sysfs, const std::string& watchdog) {
  namespace fs = std::filesystem;
  Health health;
  if (const auto milli = number_in(fs::path(sysfs) / "class/thermal/thermal_zone0/temp")) {
    health.temperature_celsius = *milli / 1000;
  }
  std::error_code error;
  for (const auto& device : list_folder(fs::path(sysfs) / "bus/mmc/devices", error)) {
    if (const auto worn = worn_percent(device / "life_time")) {
      health.storage_worn_percent = std::max(health.storage_worn_percent.value_or(0), *worn);
    }
    if (const auto near = near_end(device / "pre_eol_info")) {
      health.storage_near_end = health.storage_near_end.value_or(false) || *near;
    }
  }
  for (const auto& monitor : list_folder(fs::path(sysfs) / "class/hwmon", error)) {
    if (const auto low = number_in(monitor / "in0_lcrit_alarm")) {
      health.under_voltage = health.under_voltage.value_or(false) || *low != 0;
    }
  }
  if (!watchdog.empty()) {
    const auto state =
        first_line(fs::path(sysfs) / "class/watchdog" / fs::path(watchdog).filename() / "state");
    if (state) health.watchdog_armed = *state == "active";
  }
  return health;
}

}  // namespace posthorn::board
