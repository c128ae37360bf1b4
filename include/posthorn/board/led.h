#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/base/status.h"
#include "posthorn/base/time.h"
#include "posthorn/board/board_data.h"

namespace posthorn::board {

/// What the LED shows. The README's table says it for people.
enum class Light : std::uint8_t {
  starting,       ///< quick single blinks
  not_linked,     ///< two short blinks, pause: scan the QR code
  online,         ///< on
  reconnecting,   ///< one short gap a second: on, WhatsApp out of reach
  clock_unset,    ///< long, short: the same, and the box does not know the time
  careful,        ///< slow blink (amber)
  restricted,     ///< fast blink (yellow)
  stopped,        ///< three short blinks, pause: a person must act
  fault,          ///< very fast: storage or program fault
  identify,       ///< the button was pressed: "it is me"
  hold_network,   ///< button held: release now for a network reset
  hold_settings,  ///< ... for a reset of the settings
  hold_all,       ///< ... for a reset of everything
  off,            ///< stopped on purpose
};

/// One step: LED on or off for so long.
struct Step {
  bool on = false;
  milliseconds length{0};
  bool operator==(const Step&) const = default;
};
/// Repeats without end; a single step is a steady light.
[[nodiscard]] std::vector<Step> pattern_of(Light light);
/// The worst thing wins.
[[nodiscard]] Light light_of(const Status& status);

/// The folder of the first LED of the board that this kernel has; nullopt: none.
/// sysfs: "/sys" on the box, a folder with the same files in tests.
[[nodiscard]] std::optional<std::string> led_folder(const BoardData& board,
                                                    const std::string& sysfs);

/// One LED of the kernel, driven by its `pattern` trigger: the kernel goes on blinking while the
/// program hangs, so the light stays true. A steady light is a pattern too: giving up the trigger
/// would take its files away, which root has handed to our user.
class Led {
 public:
  /// folder: "/sys/class/leds/ACT", or a plain folder with the same file names in tests.
  explicit Led(std::string folder) : folder_(std::move(folder)) {}

  /// Writes only what changed. Errors: io (no such LED, or not allowed).
  Result<void> show(Light light);

 private:
  [[nodiscard]] bool has_trigger() const;
  Result<void> write(const char* file, const std::string& text) const;

  std::string folder_;
  bool shown_ = false;
  Light light_ = Light::starting;
};

/// The text for the trigger: "1 100 1 0 0 900 0 0" (brightness and ms; the pairs of length 0 make
/// the steps sharp).
[[nodiscard]] std::string kernel_pattern(const std::vector<Step>& steps);

}  // namespace posthorn::board
