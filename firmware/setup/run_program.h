#pragma once

#include <string>
#include <vector>

namespace posthorn::setup {

/// Runs a program from PATH without a shell and waits for its end. said: the last KiB of what it
/// wrote. Gives its exit status; 127 when it could not be started, 128 + n when signal n ended it.
int run_program(const std::vector<std::string>& command, std::string& said);

}  // namespace posthorn::setup
