#include "daemon/signals.h"

namespace posthorn::daemon {

namespace {

throttle::Signal::Kind to_kind(session::Restriction::Kind kind) {
  using From = session::Restriction::Kind;
  using To = throttle::Signal::Kind;
  switch (kind) {
    case From::rate_query:
      return To::rate_query;
    case From::rate_stream:
      return To::rate_stream;
    case From::rate_message:
      return To::rate_message;
    case From::reachout_ack:
      return To::reachout_ack;
    case From::new_chat_cap_ack:
      return To::new_chat_cap_ack;
    case From::reachout_lock:
      return To::reachout_lock;
    case From::capping:
      return To::capping;
    case From::temporary_ban:
      return To::temporary_ban;
    case From::locked:
      return To::locked;
    case From::banned:
      return To::banned;
    case From::unlinked:
      return To::unlinked;
    case From::replaced:
      return To::replaced;
    case From::client_refused:
      return To::client_refused;
    case From::integrity_challenge:
      return To::integrity_challenge;
    case From::takeover_notice:
      return To::takeover_notice;
    case From::abrupt_closes:
      return To::abrupt_closes;
    case From::connection_lost:
      return To::connection_lost;
  }
  return To::rate_query;
}

}  // namespace

throttle::Signal to_signal(const session::Restriction& restriction) {
  throttle::Signal signal;
  signal.kind = to_kind(restriction.kind);
  signal.code = restriction.code;
  signal.active = restriction.active;
  signal.enforcement = restriction.enforcement;
  signal.status = restriction.status;
  signal.chat = restriction.chat;
  signal.until = restriction.until;
  signal.total_quota = restriction.total_quota;
  signal.used_quota = restriction.used_quota;
  signal.cycle_end = restriction.cycle_end;
  return signal;
}

}  // namespace posthorn::daemon
