#pragma once

#include <functional>
#include <string>

#include "system/request.h"

namespace posthorn::system_side {

inline constexpr std::size_t kChangeAtMost = 4096;

/// Network settings that the daemon asks for: the one request whose content is looked at. Lines of
/// posthorn.txt, checked by the same code, and only address, gateway, dns and time_server, so the
/// worst that a daemon gone bad can ask for is a wrong network for 90 seconds. Applied at once;
/// then waits until `confirmed` says so or `hurried` says that somebody wants something else, and
/// else goes back. Returns a line for the journal.
std::string change_network(const Paths& paths, const RunProgram& run_program, const Wait& wait,
                           const std::string& text, const std::function<bool()>& confirmed,
                           const std::function<bool()>& hurried);

}  // namespace posthorn::system_side
