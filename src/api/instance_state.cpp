#include "posthorn/api/instance_state.h"

namespace posthorn::api {

namespace {

using Value = InstanceState::Value;
using session::State;

/// What a linked account that may talk is called.
Value by_throttle(Status::Throttle throttle, Value otherwise) {
  switch (throttle) {
    case Status::Throttle::green:
    case Status::Throttle::amber:
      return otherwise;
    case Status::Throttle::yellow:
    case Status::Throttle::red:
      return Value::restricted;
    case Status::Throttle::black:
      return Value::blocked;
  }
  return otherwise;
}

/// On the way to wherever the session will be.
bool is_under_way(State state) {
  return state == State::offline || state == State::connecting || state == State::handshaking ||
         state == State::backing_off;
}

bool logged_in(State state) { return state == State::online || state == State::syncing; }

}  // namespace

InstanceState::InstanceState(Scheduler& scheduler, std::function<bool()> linked,
                             std::function<void(Value)> changed)
    : scheduler_(scheduler),
      linked_(std::move(linked)),
      changed_(std::move(changed)),
      grace_(scheduler),
      value_(Value::starting) {}

Value InstanceState::compute() const {
  if (!session_) return Value::starting;
  switch (*session_) {
    case State::pairing:
    case State::logged_out:
      return Value::not_authorized;
    case State::blocked:
      return Value::blocked;
    case State::syncing:
    case State::online:
      return by_throttle(throttle_, Value::authorized);
    case State::paused:
    case State::replaced:
      return by_throttle(throttle_, Value::starting);
    case State::offline:
    case State::connecting:
    case State::handshaking:
    case State::backing_off:
      break;
  }
  if (!linked_()) return Value::not_authorized;
  if (rebooting_) return Value::starting;
  const bool in_grace = scheduler_.now() < grace_ends_;
  return by_throttle(throttle_, in_grace ? Value::authorized : Value::starting);
}

void InstanceState::on_session(session::State state) {
  if (session_ && logged_in(*session_) && !logged_in(state)) {
    grace_ends_ = scheduler_.now() + kGrace;
    grace_.start_at(grace_ends_, [this] { update(); });
  }
  if (!is_under_way(state)) rebooting_ = false;
  session_ = state;
  update();
}

void InstanceState::on_throttle(Status::Throttle throttle) {
  throttle_ = throttle;
  update();
}

void InstanceState::update() {
  const Value next = compute();
  if (next == value_) return;
  value_ = next;
  changed_(next);
}

std::string_view to_string(InstanceState::Value value, const Settings& settings) {
  switch (value) {
    case Value::not_authorized:
      return "notAuthorized";
    case Value::authorized:
      return "authorized";
    case Value::starting:
      return "starting";
    case Value::blocked:
      return "blocked";
    case Value::restricted:
      return settings.restriction_state_name;
  }
  return "starting";
}

}  // namespace posthorn::api
