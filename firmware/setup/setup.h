#pragma once

#include <functional>
#include <string>
#include <vector>

#include "setup/plan.h"

namespace posthorn::setup {

struct Places {
  std::string boot = "/boot/firmware";             ///< the FAT partition, where it is mounted
  std::string state = "/var/lib/posthorn-system";  ///< kept settings, on the data partition
  std::string data = "/var/lib/posthorn";          ///< where the daemon leaves access.json
  std::string root;                                ///< in front of every planned path; for tests
};

using RunProgram = std::function<int(const std::vector<std::string>& command, std::string& said)>;

/// One boot: reads posthorn.txt, keeps what is good, takes the secrets out of it, applies all that
/// is kept, and writes posthorn-result.txt beside it when its text changed. Whatever goes wrong is
/// a line of that text, which is returned too: never a reason to stop a boot.
std::string set_up(const Places& places, const RunProgram& run_program);

/// Once the daemon is up: posthorn-result.txt ends with how the box is reached, its idInstance and
/// tokens, so that whoever holds the card can set a till up. Returns that text without the tokens,
/// for a screen; empty: the daemon has not said it yet.
std::string tell_access(const Places& places, const RunProgram& run_program);

}  // namespace posthorn::setup
