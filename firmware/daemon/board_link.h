#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/config.h"
#include "posthorn/base/status.h"
#include "posthorn/board/button.h"
#include "posthorn/board/led.h"
#include "posthorn/board/sensors.h"
#include "posthorn/loop/loop.h"

namespace posthorn::daemon {

/// The watch arrow's last piece: Status to the LED, the button to wishes. On a computer without LED
/// or button it does nothing and says so once.
class BoardLink {
 public:
  BoardLink(loop::Loop& loop, const BoardConfig& config, std::function<Status()> status,
            std::function<void(board::Wish)> on_wish);
  BoardLink(const BoardLink&) = delete;
  BoardLink& operator=(const BoardLink&) = delete;

  /// Looks at the status now: for changes that must be seen at once.
  void refresh();
  [[nodiscard]] board::Health health() const {
    return board::read_health(config_.sysfs, board_.watchdog);
  }
  /// Without board data: a board without a name, which is updated by nobody.
  [[nodiscard]] const board::BoardData& board() const { return board_; }
  [[nodiscard]] bool has_led() const { return led_ != nullptr; }
  [[nodiscard]] bool has_button() const { return button_ != nullptr; }

 private:
  void tick();
  void show(board::Light light);
  void take(board::Wish wish);

  BoardConfig config_;
  board::BoardData board_;
  std::function<Status()> status_;
  std::function<void(board::Wish)> on_wish_;
  Scheduler& scheduler_;
  std::unique_ptr<board::Led> led_;
  std::optional<board::Light> held_;  ///< the button is held: its light wins
  Mono identify_until_{};
  board::ButtonGesture gesture_;
  std::unique_ptr<board::GpioButton> button_;
  Timer timer_;
};

/// A factory reset is asked for by a file in the data directory and done at the next start, so that
/// a power cut in its middle only means that it is done again. What belongs to root is asked for by
/// another file: system_requests.h. Errors: io (nothing is asked for then).
Result<void> request_reset(const std::string& data_dir, board::Wish wish);
/// At start, before anything is opened: "everything" removes rings and database. Gives the request
/// that is left for later (settings), or nothing.
[[nodiscard]] std::optional<board::Wish> begin_reset(const std::string& data_dir);
/// The reset is done: forget the request.
void end_reset(const std::string& data_dir);
/// The same once all that was committed so far is on disk: until then a power cut would bring back
/// what was erased, so the request stays and the next start does it again. store outlives the call.
void end_reset_when_durable(BlobStore& store, const std::string& data_dir);

}  // namespace posthorn::daemon
