#include <gpiod.h>

#include <cerrno>
#include <cstring>

#include "posthorn/base/log.h"
#include "posthorn/board/button.h"

namespace posthorn::board {

namespace {

struct CloseChip {
  void operator()(gpiod_chip* chip) const { gpiod_chip_close(chip); }
};

class LibgpiodButton final : public GpioButton {
 public:
  LibgpiodButton(std::unique_ptr<gpiod_chip, CloseChip> chip, gpiod_line* line, loop::Loop& loop,
                 ButtonGesture& gesture)
      : chip_(std::move(chip)),
        line_(line),
        gesture_(gesture),
        poll_(loop, gpiod_line_event_get_fd(line), loop::Poll::readable,
              [this](int) { on_edge(); }) {}
  ~LibgpiodButton() override {
    poll_.watch(0);
    gpiod_line_release(line_);
  }

 private:
  void on_edge() {
    gpiod_line_event event{};
    if (gpiod_line_event_read(line_, &event) != 0) {
      log::warn("board", "button line cannot be read", {{"error", std::strerror(errno)}});
      poll_.watch(0);
      return;
    }
    // "Rising" is in the line's own logic: pressed, also where the line is active low.
    if (event.event_type == GPIOD_LINE_EVENT_RISING_EDGE) {
      gesture_.on_pressed();
    } else {
      gesture_.on_released();
    }
  }

  std::unique_ptr<gpiod_chip, CloseChip> chip_;
  gpiod_line* line_;
  ButtonGesture& gesture_;
  loop::Poll poll_;
};

}  // namespace

Result<std::unique_ptr<GpioButton>> watch_button(loop::Loop& loop, const BoardData::Line& line,
                                                 ButtonGesture& gesture) {
  std::unique_ptr<gpiod_chip, CloseChip> chip(gpiod_chip_open_by_name(line.chip.c_str()));
  if (!chip) return fail(Errc::not_found, line.chip + ": " + std::strerror(errno));
  gpiod_line* found = gpiod_chip_get_line(chip.get(), line.offset);
  if (found == nullptr) {
    return fail(Errc::not_found, line.chip + " has no line " + std::to_string(line.offset));
  }
  int flags = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP;
  if (line.active_low) flags |= GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW;
  if (gpiod_line_request_both_edges_events_flags(found, "posthornd", flags) != 0) {
    return fail(Errc::refused,
                line.chip + " line " + std::to_string(line.offset) + ": " + std::strerror(errno));
  }
  return std::unique_ptr<GpioButton>(
      std::make_unique<LibgpiodButton>(std::move(chip), found, loop, gesture));
}

}  // namespace posthorn::board
