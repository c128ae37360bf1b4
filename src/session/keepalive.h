#pragma once

#include "posthorn/base/function.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::session {

/// Notices a dead connection. While nothing arrives it asks (ping) after 15 - 30 s, or 5 s after we
/// sent something that must be answered; 20 s of silence after the ping and the connection is dead.
/// Any received frame is a sign of life. Source: protocol chapter 01 section 9.
class Keepalive {
 public:
  static constexpr milliseconds kIdleLow{15'000};
  static constexpr milliseconds kIdleHigh{30'000};
  static constexpr milliseconds kAnswerDue{5'000};
  static constexpr milliseconds kDeadline{20'000};

  /// ping: sends the keepalive stanza. dead: called once; the keepalive is stopped then.
  Keepalive(Scheduler& scheduler, Random& random, Task ping, Task dead);

  void start();
  void stop();
  void on_received();
  /// We sent a message or a question: silence now means more.
  void on_expecting();

 private:
  enum class State : std::uint8_t { stopped, idle, expecting, pinged };

  void wait_idle();
  void send_ping();

  Random& random_;
  Task ping_;
  Task dead_;
  State state_ = State::stopped;
  Timer timer_;
};

}  // namespace posthorn::session
