#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "posthorn/session/events.h"
#include "posthorn/wire/node.h"

namespace posthorn::session {

/// When to connect again after the server ended or refused a connection.
enum class Retry : std::uint8_t {
  at_once,          ///< expected restart (515)
  back_off,         ///< next step of the back-off
  back_off_more,    ///< five steps further (429)
  after_expiry,     ///< when the ban named by the stanza is over
  hour_then_daily,  ///< one more attempt after an hour, then one a day
  daily,            ///< once a day
  hourly,           ///< every hour
  growing,          ///< after 5 minutes, 15 minutes, then every hour
  never,            ///< only by an operator
};

/// What becomes of the credentials.
enum class Keys : std::uint8_t {
  keep,
  forget,        ///< the account does not know this device any more
  forget_later,  ///< only when a second attempt says the same
};

/// One way in which the server ends or refuses a connection, and what follows.
struct StopRule {
  enum class Where : std::uint8_t { failure, stream_error };

  Where where = Where::failure;
  int code = 0;            ///< reason of <failure>, code of <stream:error>; 0: any other
  std::string_view child;  ///< stream errors told apart by a child: "conflict/replaced", "ack"
  std::string_view cause;  ///< constant short name, for code and the API
  State state = State::backing_off;
  Retry retry = Retry::back_off;
  Keys keys = Keys::keep;
  std::optional<Restriction::Kind> restriction;
  std::string_view what_to_do;  ///< one sentence for a person; empty: nothing to do
};

/// All of them, in the order in which they are tried.
/// Source: protocol chapter 04 sections 3 and 10.1.
[[nodiscard]] std::span<const StopRule> stop_rules();

/// A refused login, as the server said it.
struct Stop {
  const StopRule* rule = nullptr;
  int code = 0;
  int sub_code = 0;                   ///< of a temporary ban: 101 ..
  std::optional<seconds> expires_in;  ///< a duration
};

/// stanza: <failure> or <stream:error>. Always finds a rule: the last of each kind fits everything.
[[nodiscard]] Stop classify_stop(const wire::Node& stanza);

/// "too many messages to people who do not have this number in their address book"; never empty.
[[nodiscard]] std::string_view ban_reason(int sub_code);

}  // namespace posthorn::session
