#include "session/keepalive.h"

namespace posthorn::session {

Keepalive::Keepalive(Scheduler& scheduler, Random& random, Task ping, Task dead)
    : random_(random), ping_(std::move(ping)), dead_(std::move(dead)), timer_(scheduler) {}

void Keepalive::start() { wait_idle(); }

void Keepalive::stop() {
  state_ = State::stopped;
  timer_.stop();
}

void Keepalive::on_received() {
  if (state_ != State::stopped) wait_idle();
}

void Keepalive::on_expecting() {
  if (state_ != State::idle) return;  // an earlier expectation or a ping already counts
  state_ = State::expecting;
  timer_.start(kAnswerDue, [this] { send_ping(); });
}

void Keepalive::wait_idle() {
  state_ = State::idle;
  const auto low = static_cast<std::uint64_t>(kIdleLow.count());
  const auto high = static_cast<std::uint64_t>(kIdleHigh.count());
  timer_.start(milliseconds(random_.between(low, high)), [this] { send_ping(); });
}

void Keepalive::send_ping() {
  state_ = State::pinged;
  timer_.start(kDeadline, [this] {
    state_ = State::stopped;
    dead_();
  });
  ping_();
}

}  // namespace posthorn::session
