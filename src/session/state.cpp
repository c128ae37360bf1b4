#include "posthorn/session/events.h"

namespace posthorn::session {

std::string_view to_string(State state) {
  switch (state) {
    case State::offline:
      return "offline";
    case State::connecting:
      return "connecting";
    case State::handshaking:
      return "handshaking";
    case State::pairing:
      return "pairing";
    case State::syncing:
      return "syncing";
    case State::online:
      return "online";
    case State::backing_off:
      return "backing_off";
    case State::paused:
      return "paused";
    case State::logged_out:
      return "logged_out";
    case State::blocked:
      return "blocked";
    case State::replaced:
      return "replaced";
  }
  return "unknown";
}

}  // namespace posthorn::session
