#pragma once

#include <string>

#include "daemon/hardware.h"
#include "daemon/tar_gz.h"
#include "posthorn/base/config.h"
#include "posthorn/board/board_data.h"
#include "posthorn/board/sensors.h"

/// What a technician sends to whoever helps: how the box is and what it logged. Never message text,
/// numbers, tokens, passwords or keys.
namespace posthorn::daemon {

/// The configuration as it is in force, secrets as "(set)".
[[nodiscard]] std::string describe_config(const Config& config);

/// nullopt becomes null: unknown, never "all right".
[[nodiscard]] std::string board_json(const board::BoardData& board, bool led, bool button,
                                     const board::Health& health, const Hardware& hardware,
                                     const std::string& data_dir);

/// Size and name of each file of the data directory, and what is free.
[[nodiscard]] std::string describe_storage(const std::string& data_dir);

/// Kernel, release, uptime.
[[nodiscard]] std::string describe_system();

}  // namespace posthorn::daemon
