#pragma once

#include "ctl/client.h"

namespace posthorn::ctl {

/// What `posthornctl refused` does with the notifications that the webhook's receiver did not take.
enum class Refused : std::uint8_t { show, retry, clear };
/// Returns the status to end with.
[[nodiscard]] int refused_notifications(const Client& client, Refused what);

}  // namespace posthorn::ctl
