#include "posthorn/board/button.h"

#include <utility>

namespace posthorn::board {

ButtonGesture::ButtonGesture(Scheduler& scheduler, std::function<void(Wish)> on_wish,
                             std::function<void(std::optional<Light>)> on_hold)
    : scheduler_(scheduler),
      on_wish_(std::move(on_wish)),
      on_hold_(std::move(on_hold)),
      timer_(scheduler) {}

void ButtonGesture::on_pressed() {
  if (pressed_at_) return;
  pressed_at_ = scheduler_.now();
  watch_hold();
}

void ButtonGesture::watch_hold() {
  if (!pressed_at_) return;
  const milliseconds held = scheduler_.now() - *pressed_at_;
  milliseconds next = kNetworkAt;
  if (held >= kTooLong) {
    on_hold_(std::nullopt);
    return;
  }
  if (held >= kAllAt) {
    on_hold_(Light::hold_all);
    next = kTooLong;
  } else if (held >= kSettingsAt) {
    on_hold_(Light::hold_settings);
    next = kAllAt;
  } else if (held >= kNetworkAt) {
    on_hold_(Light::hold_network);
    next = kSettingsAt;
  }
  timer_.start_at(*pressed_at_ + next, [this] { watch_hold(); });
}

void ButtonGesture::on_released() {
  if (!pressed_at_) return;
  const milliseconds held = scheduler_.now() - *std::exchange(pressed_at_, std::nullopt);
  timer_.stop();
  if (held >= kNetworkAt && held < kTooLong) on_hold_(std::nullopt);
  if (held < kBounce || held >= kTooLong) return;
  if (held <= kShortAtMost) {
    on_wish_(Wish::show_yourself);
  } else if (held >= kAllAt) {
    on_wish_(Wish::reset_all);
  } else if (held >= kSettingsAt) {
    on_wish_(Wish::reset_settings);
  } else if (held >= kNetworkAt) {
    on_wish_(Wish::reset_network);
  }
}

}  // namespace posthorn::board
