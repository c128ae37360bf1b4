#pragma once

#include "posthorn/base/time.h"

namespace posthorn::cloud {

/// A job's state while nothing of it has left.
inline constexpr const char* kAssigned = "assigned";

/// 1, 4, 16, 64 … seconds, at most a quarter of an hour.
[[nodiscard]] milliseconds backoff(int tries);

}  // namespace posthorn::cloud
