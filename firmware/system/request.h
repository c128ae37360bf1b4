#pragma once

#include <functional>
#include <string>
#include <vector>

#include "posthorn/base/result.h"

/// What root does for the daemon, which may ask by a file's name and nothing else: no content of
/// such a file is ever looked at, but for the update, which rauc checks by its signature, and for
/// the few settings of network_change.h.
namespace posthorn::system_side {

struct Paths {
  std::string requests = "/var/lib/posthorn/requests";  ///< the daemon's, emptied by us
  std::string state = "/var/lib/posthorn-system";       ///< root's: kept settings
  std::string run = "/run/posthorn";                    ///< root's: update-status.json
};

/// Runs a program and waits. Gives its exit status; `said` gets the end of its output.
using RunProgram = std::function<int(const std::vector<std::string>& command, std::string& said)>;

/// Lets a second pass.
using Wait = std::function<void()>;

/// What was done, for the journal; every known request is gone afterwards, and so is every file
/// that is none. A request that fails is told in the log and in update-status.json, and is gone
/// too: trying again for ever helps nobody. Errors: io (no such folder, or it is not a folder).
[[nodiscard]] Result<std::vector<std::string>> carry_out(const Paths& paths,
                                                         const RunProgram& run_program,
                                                         const Wait& wait);

}  // namespace posthorn::system_side
