#pragma once

#include "posthorn/session/events.h"
#include "posthorn/throttle/signal.h"

namespace posthorn::daemon {

/// The same news in the throttle's words: throttle knows no session.
[[nodiscard]] throttle::Signal to_signal(const session::Restriction& restriction);

}  // namespace posthorn::daemon
