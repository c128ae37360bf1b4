#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/board/board_data.h"
#include "posthorn/board/led.h"
#include "posthorn/loop/loop.h"

namespace posthorn::board {

/// What the person at the button wants.
enum class Wish : std::uint8_t {
  show_yourself,   ///< a short press: blink, so that this box is found among others
  reset_network,   ///< held 5 .. 10 s
  reset_settings,  ///< held 10 .. 20 s: settings and token; the phone stays linked, the queue stays
  reset_all,       ///< held 20 .. 30 s: as flashed
};

/// One button as a state machine: how long it is held decides, the LED says what a release would
/// do, and releasing before 5 s or holding past 30 s does nothing.
class ButtonGesture {
 public:
  static constexpr milliseconds kShortAtMost{1000};
  static constexpr milliseconds kNetworkAt{5000};
  static constexpr milliseconds kSettingsAt{10'000};
  static constexpr milliseconds kAllAt{20'000};
  static constexpr milliseconds kTooLong{30'000};
  /// Shorter presses are contacts bouncing.
  static constexpr milliseconds kBounce{30};

  /// on_hold: what to light while the button is held; nullopt: the ordinary light again.
  ButtonGesture(Scheduler& scheduler, std::function<void(Wish)> on_wish,
                std::function<void(std::optional<Light>)> on_hold);

  void on_pressed();
  void on_released();

 private:
  void watch_hold();

  Scheduler& scheduler_;
  std::function<void(Wish)> on_wish_;
  std::function<void(std::optional<Light>)> on_hold_;
  std::optional<Mono> pressed_at_;
  Timer timer_;
};

/// Edges of a GPIO line (libgpiod), told to a gesture.
class GpioButton {
 public:
  virtual ~GpioButton() = default;
};
/// gesture outlives the button. Errors: not_found (no such chip or line), refused (in use, not
/// allowed).
[[nodiscard]] Result<std::unique_ptr<GpioButton>> watch_button(loop::Loop& loop,
                                                               const BoardData::Line& line,
                                                               ButtonGesture& gesture);

}  // namespace posthorn::board
