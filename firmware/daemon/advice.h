#pragma once

#include <string>

#include "posthorn/base/status.h"

namespace posthorn::daemon {

/// One sentence for a person: what is wrong and what ends it; empty while all is well or passes by
/// itself. What is the box's own (its disk) comes before what WhatsApp said, and that before the
/// pace. link: the session's own words. needs_word: only a person ends the throttle's state.
[[nodiscard]] std::string advise(const Status& status, const std::string& link, bool needs_word);

}  // namespace posthorn::daemon
