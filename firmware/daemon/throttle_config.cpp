#include "daemon/throttle_config.h"

namespace posthorn::daemon {

Result<throttle::Settings> throttle_settings(const ThrottleConfig& config) {
  TRY(throttle::Settings settings, throttle::settings_from(config));
  for (const ThrottleConfig::Setting& setting : config.settings) {
    if (auto changed = throttle::change_setting(settings, setting.name, setting.value); !changed) {
      return fail(Errc::malformed, setting.where + ": " + changed.error().detail);
    }
  }
  settings.unpaced_for_benchmarks = config.unpaced_for_benchmarks;
  TRY(throttle::check_settings(settings));
  return settings;
}

}  // namespace posthorn::daemon
