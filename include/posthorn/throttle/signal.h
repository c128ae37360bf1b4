#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/time.h"

namespace posthorn::throttle {

/// Anything that says "slow down or stop" (policy section 8.1, protocol chapter 04 section 10.4).
/// The root makes it from session::Restriction, member by member, because throttle knows no
/// session.
struct Signal {
  /// Stored in the audit log by name.
  enum class Kind : std::uint8_t {
    rate_query,           ///< 429 on a query: amber
    rate_stream,          ///< stream error 429: amber, nothing for 1 h (doubling within 24 h)
    rate_message,         ///< ack 429: amber, nothing for 30 min (doubling within 24 h)
    reachout_ack,         ///< ack 463: yellow; `chat`
    new_chat_cap_ack,     ///< ack 475: yellow, openings closed to the cycle end
    reachout_lock,        ///< notice or query: `active`, `enforcement`, `until`
    capping,              ///< notice or query: `status`, quotas, `cycle_end`
    temporary_ban,        ///< 402: red; `code`, `until`
    locked,               ///< 403: black
    banned,               ///< 406: black
    unlinked,             ///< 401, device removed: black
    replaced,             ///< conflict: no state, the link is down
    client_refused,       ///< 405, 409: no state, the link is down
    integrity_challenge,  ///< red until the operator acknowledges
    takeover_notice,      ///< red until the operator acknowledges
    abrupt_closes,        ///< amber, nothing for 1 h
    connection_lost,      ///< the third within an hour: amber
    relinked,             ///< the operator has linked the phone again
  };
  Kind kind = Kind::rate_query;
  int code = 0;
  bool active = true;       ///< reachout_lock
  std::string enforcement;  ///< reachout_lock: "WEB_COMPANION_ONLY" …; "DEFAULT": none
  std::string status;       ///< capping: "NONE", "FIRST_WARNING", "SECOND_WARNING", "CAPPED"
  std::string chat;         ///< of the refused message
  std::optional<Wall> until;
  std::optional<std::int64_t> total_quota, used_quota;
  std::optional<Wall> cycle_end;
};
[[nodiscard]] std::string_view to_string(Signal::Kind kind);

}  // namespace posthorn::throttle
