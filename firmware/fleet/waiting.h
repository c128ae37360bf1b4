#pragma once

#include <string>

#include "posthorn/fleet/box_api.h"

namespace posthorn::fleet {

struct WaitingPlaces {
  std::string state_dir;
  std::string config_file;  ///< the administrator's; where there is none, settings go to state_dir
};

/// A box that is not enrolled: asks the daemon whether a person at its page wants it enrolled, and
/// does it. Returns the status to end with, for whoever starts us to start us again: 0 when the box
/// is enrolled, by us or by hand beside us, or when we were told to end; 1 when the daemon does not
/// know our token any more.
int wait_for_enrolment(BoxAccess access, const WaitingPlaces& places);

}  // namespace posthorn::fleet
