#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "posthorn/api/settings.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/status.h"
#include "posthorn/session/events.h"

namespace posthorn::api {

/// The state of the instance as Green-API names it, made from the session's and the throttle's.
class InstanceState {
 public:
  enum class Value : std::uint8_t { not_authorized, authorized, starting, blocked, restricted };

  /// A linked account whose connection broke stays "authorized" for this long.
  static constexpr seconds kGrace{60};

  /// changed: runs on every change of value(), never inside the constructor. linked: credentials
  /// exist (an account is linked), asked whenever the session's state changes.
  InstanceState(Scheduler& scheduler, std::function<bool()> linked,
                std::function<void(Value)> changed);

  [[nodiscard]] Value value() const { return value_; }
  void on_session(session::State state);
  /// The connection is made anew because somebody asked for it: "starting" until the session says
  /// how it ended, without the grace of a connection that broke. The session's state follows.
  void on_reboot() { rebooting_ = true; }
  void on_throttle(Status::Throttle throttle);

 private:
  [[nodiscard]] Value compute() const;
  void update();

  Scheduler& scheduler_;
  std::function<bool()> linked_;
  std::function<void(Value)> changed_;
  /// Nothing is known before the session's first word: a linked box that starts is not unlinked.
  std::optional<session::State> session_;
  Status::Throttle throttle_ = Status::Throttle::green;
  bool rebooting_ = false;
  Mono grace_ends_{};
  Timer grace_;
  Value value_;
};

/// "authorized"; the restricted state is called as the settings say (yellowCard or suspended).
[[nodiscard]] std::string_view to_string(InstanceState::Value value, const Settings& settings);

}  // namespace posthorn::api
