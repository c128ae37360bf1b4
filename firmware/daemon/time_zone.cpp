#include "daemon/time_zone.h"

#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string_view>

namespace posthorn::daemon {

namespace {

/// Compiled zones begin so; a folder like "Europe" or the text file "zone.tab" does not.
bool is_zone_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> magic{};
  return file.read(magic.data(), magic.size()) &&
         std::string_view(magic.data(), magic.size()) == "TZif";
}

}  // namespace

Result<void> check_time_zone(const ThrottleConfig& config, const std::string& folder) {
  const std::string& name = config.time_zone;
  if (name.empty()) return {};
  const bool inside = name.front() != '/' && name.find("..") == std::string::npos;
  if (inside && is_zone_file(folder + "/" + name)) return {};
  return fail(Errc::malformed, config.time_zone_where + ": no such zone: " + name +
                                   " (must be a name like \"Europe/Berlin\")");
}

void use_time_zone(const ThrottleConfig& config) {
  if (config.time_zone.empty()) return;
  setenv("TZ", config.time_zone.c_str(), 1);
  tzset();
}

}  // namespace posthorn::daemon
