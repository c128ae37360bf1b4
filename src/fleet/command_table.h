#pragma once

#include "fleet/commands.h"

namespace posthorn::fleet {

/// A command that is one call of the box's API.
struct BoxCommand {
  std::string_view name;
  const char* verb;
  const char* method;
  BoxRight right;
  bool opt_in;  ///< only where fleet.toml allows it by name
};
/// nullptr: none of that name.
[[nodiscard]] const BoxCommand* find_box_command(std::string_view name);

/// The request for it. Errors: malformed, refused (a setting that is not the centre's to change).
[[nodiscard]] Result<BoxRequest> request_of(const BoxCommand& kind, const Command& command);
/// What the centre is answered.
[[nodiscard]] Outcome outcome_of(const Command& command, const BoxAnswer& answer);

}  // namespace posthorn::fleet
