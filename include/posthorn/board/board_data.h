#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/result.h"

namespace posthorn::board {

/// What the program needs to know of a board: one file in board/ each, so that a new board is data.
struct BoardData {
  std::string name;                     ///< "Raspberry Pi 3 Model B"
  std::vector<std::string> compatible;  ///< device-tree strings that name it
  std::string dtb;                      ///< file of the kernel's device tree; empty: firmware's own
  std::vector<std::string> leds;  ///< names under /sys/class/leds, the first that exists is used
  struct Line {
    std::string chip;  ///< "gpiochip0"
    std::uint32_t offset = 0;
    bool active_low = true;
    bool operator==(const Line&) const = default;
  };
  std::optional<Line> button;
  std::string watchdog;  ///< "/dev/watchdog0"; empty: none
  std::string update;    ///< update back end: "rauc-uboot", or "none"

  bool operator==(const BoardData&) const = default;
};

/// Reads one board file (TOML). Errors: malformed, with line and key.
[[nodiscard]] Result<BoardData> parse_board(std::string_view text, std::string_view file);

/// The board of `folder` whose `compatible` has one of the strings of `device_tree` (the content of
/// /proc/device-tree/compatible: strings that each end in a zero byte), most specific first; the
/// board "generic" when none has, or when there is no device tree. Errors: not_found (no file for
/// it and no generic one), malformed (a file that cannot be read).
[[nodiscard]] Result<BoardData> find_board(const std::string& folder, std::string_view device_tree);

}  // namespace posthorn::board
