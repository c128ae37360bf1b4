#pragma once

#include "posthorn/base/config.h"
#include "posthorn/base/result.h"
#include "posthorn/throttle/settings.h"

namespace posthorn::daemon {

/// The [throttle] section as the throttle's own settings. Errors: malformed, with file, line, key
/// and what is allowed.
[[nodiscard]] Result<throttle::Settings> throttle_settings(const ThrottleConfig& config);

}  // namespace posthorn::daemon
