#pragma once

#include <string>

#include "posthorn/fleet/box_api.h"

namespace posthorn::fleet {

struct WaitingPlaces {
  std::string state_dir;
  std::string config_file;  ///< where the head office's settings go
};

/// A box that is not enrolled: asks the daemon whether a person at its page wants it enrolled, and
/// does it. Returns the status to end with: 0 when it is enrolled, for whoever starts us to start
/// us again, or when it was told to end.
int wait_for_enrolment(BoxAccess access, const WaitingPlaces& places);

}  // namespace posthorn::fleet
