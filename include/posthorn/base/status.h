#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/time.h"

namespace posthorn {

/// How the box is, in one value: the composition root fills it, the API, metrics and the LED read
/// it.
struct Status {
  enum class Link : std::uint8_t { starting, not_linked, online, reconnecting, paused, blocked };
  enum class Throttle : std::uint8_t { green, amber, yellow, red, black };

  Link link = Link::starting;
  std::string link_cause;  ///< short constant name; empty when all is well
  std::string what_to_do;  ///< one sentence for a person; empty: nothing
  Throttle throttle = Throttle::green;
  std::optional<Wall> until;  ///< when the state above is expected to end
  std::uint64_t outbox_jobs = 0;
  std::uint64_t inbox_notifications = 0;
  bool storage_ok = true;
  bool clock_trusted = false;
};

}  // namespace posthorn
