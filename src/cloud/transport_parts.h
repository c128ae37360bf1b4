#pragma once

#include <string_view>

#include "posthorn/base/time.h"

namespace posthorn::cloud {

/// A job's state while nothing of it has left.
inline constexpr const char* kAssigned = "assigned";
/// With the wamid behind it: Meta has taken it.
inline constexpr std::string_view kSent = "sent ";

/// How the sentences of two failures begin that are the box's own.
inline constexpr const char* kNeedsTemplate = "needs a template";
inline constexpr const char* kHeldBack = "Meta holds back what is sent to this person";

/// 1, 4, 16, 64 … seconds, at most a quarter of an hour.
[[nodiscard]] milliseconds backoff(int tries);

}  // namespace posthorn::cloud
