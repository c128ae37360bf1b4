#pragma once

#include <string>

namespace posthorn::daemon {

/// What the hardware and its start say of themselves; empty: they do not say it.
struct Hardware {
  std::string model;   ///< "Raspberry Pi 3 Model B Rev 1.2"
  std::string serial;  ///< of the board; a computer's is root's to read, so there: empty
  std::string slot;    ///< of the image that was started, "A" or "B"
};

/// Without its end; the kernel ends what it shows of a device tree with a zero byte. Empty: there
/// is no such file, or it cannot be read.
[[nodiscard]] std::string first_line(const std::string& path);

/// device_tree: the folder that has "model" and "serial-number", on the box
/// /sys/firmware/devicetree/base. cmdline: the kernel's command line, a file.
[[nodiscard]] Hardware read_hardware(const std::string& device_tree,
                                     const std::string& cmdline = "/proc/cmdline");

}  // namespace posthorn::daemon
