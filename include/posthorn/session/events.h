#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::session {

/// The one state machine that people see (LED, getStateInstance, page). Chapter 04.
enum class State : std::uint8_t {
  offline,      ///< not started, or stopped by the operator
  connecting,   ///< dialling, TLS, WebSocket
  handshaking,  ///< Noise
  pairing,      ///< no credentials: shows QR codes or a link code
  syncing,      ///< logged in, draining the offline backlog
  online,       ///< logged in, sends and receives
  backing_off,  ///< lost the connection; tries again by itself
  paused,       ///< will not try before `until` or an operator (402, 400, 405 …)
  logged_out,   ///< credentials were refused (401, unlinked): must be linked again
  blocked,      ///< account locked or banned (403, 406), or temporary ban (402)
  replaced,     ///< the same credentials are in use elsewhere: stopped
};
[[nodiscard]] std::string_view to_string(State state);
using posthorn::to_string;  // the one above must not hide base's

/// The cause of State::offline when Linking::reconnect() was asked for.
inline constexpr std::string_view kReboot = "reboot";

struct StateChanged {
  State state = State::offline;
  int code = 0;            ///< failure or stream error code; 0: none
  std::string cause;       ///< constant short name, e.g. "temporary_ban"
  std::string what_to_do;  ///< one sentence for a person; empty: nothing to do
  std::optional<Wall> until;
};

/// Anything that says "slow down or stop": every row of chapter 04 section 10.4.
struct Restriction {
  enum class Kind : std::uint8_t {
    rate_query,        ///< IQ 429
    rate_stream,       ///< stream error 429
    rate_message,      ///< ack 429
    reachout_ack,      ///< ack 463
    new_chat_cap_ack,  ///< ack 475
    reachout_lock,     ///< account notice or query; `active`, `enforcement`
    capping,           ///< account notice or query; `status`, quota
    temporary_ban,     ///< failure 402; `code` 101 …
    locked,            ///< failure 403
    banned,            ///< failure 406
    unlinked,          ///< 401, device removed
    replaced,          ///< conflict
    client_refused,    ///< 405, 409
    integrity_challenge,
    takeover_notice,  ///< registration notification
    abrupt_closes,    ///< closed right after handshake or success, three times in ten minutes
    connection_lost,  ///< any loss of an established connection
  };
  Kind kind = Kind::rate_query;
  int code = 0;
  bool active = true;
  std::string enforcement;  ///< "WEB_COMPANION_ONLY" …
  std::string status;       ///< capping: "NONE", "FIRST_WARNING", "SECOND_WARNING", "CAPPED"
  std::string chat;         ///< of the message that was refused
  std::optional<Wall> until;
  std::optional<std::int64_t> total_quota, used_quota;
  std::optional<Wall> cycle_end;
  std::string raw;  ///< the stanza, for the support bundle
};

/// The link is up and the backlog is drained, or not any more.
struct Connectivity {
  bool online = false;
};

using Event = std::variant<StateChanged, Restriction, Connectivity>;

/// Where events go. `stored` runs when whatever the event became is on disk (at once when it became
/// nothing).
using EventSink = std::function<void(Event event, Once<void(Result<void>)> stored)>;

}  // namespace posthorn::session
