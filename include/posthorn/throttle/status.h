#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/status.h"
#include "posthorn/base/time.h"

namespace posthorn::throttle {

using Level = Status::Throttle;
[[nodiscard]] std::string_view to_string(Level level);

/// Stored: do not renumber.
enum class Lane : std::uint8_t { reply = 0, known = 1, first = 2 };
[[nodiscard]] std::string_view to_string(Lane lane);

/// Why a job waits (policy section 11). `none`: it may go now.
enum class Hold : std::uint8_t {
  none,
  pace,
  chat_gap,
  hour_cap,
  day_cap,
  opening_cap,
  unanswered,
  budget_30d,
  same_text,
  quiet_hours,
  checking_number,
  check_budget,
  reply_ratio,
  yellow,
  red,
  offline,
  reconnect_ramp,
  double_post,
  preparing,  ///< what it needs before its turn is on its way (a file's upload)
  not_sent,   ///< it had its turn and nothing left the box; tried again, JobView::cause says why
};
[[nodiscard]] std::string_view to_string(Hold hold);

/// Why a job left the outbox unsent.
enum class Refusal : std::uint8_t {
  no_account,
  opted_out,
  unanswered_limit,
  campaign_needs_approval,
  no_capacity,
  expired,
  bad_chat,  ///< no number that anybody has; the API refuses it, jobs of an older release may hold
             ///< it
  not_in_group,  ///< the account is no member, or there is no such group
};
/// "noAccount", "opted_out", …
[[nodiscard]] std::string_view to_string(Refusal refusal);

/// One waiting job as showMessagesQueue shows it.
struct JobView {
  Lane lane = Lane::first;
  Hold hold = Hold::none;
  std::optional<Wall> not_before;  ///< absent: now, or nobody knows (offline, operator needed)
  Wall expires_at;
  bool handed_over = false;  ///< once already: it may have been sent, under the same id
  std::string cause;         ///< not_sent: why, for people
};

/// What would become of a message that is posted now.
struct Outlook {
  Lane lane = Lane::first;
  bool new_customer = false;       ///< it would be our very first message to them
  bool asked_first = false;        ///< WhatsApp would be asked about the number or the group first
  Hold why = Hold::none;           ///< what it would wait for first; none: it goes at once
  std::optional<Wall> earliest;    ///< absent: nobody knows (offline, a person is needed)
  std::optional<Refusal> refusal;  ///< it would not be taken, and why
};

/// One rolling window: "7 of 12".
struct WindowUse {
  std::string_view name;  ///< constant: "minute", "openings_day", …
  std::uint32_t used = 0;
  std::uint32_t allowed = 0;
};

struct ActiveOverride {
  std::string limit;
  Wall until;
  std::string reason;
  std::string who;
};

/// getThrottleStatus. Values only; taken when asked for.
struct ThrottleStatus {
  Wall now;  ///< when this was taken
  Level level = Level::green;
  Wall since;
  std::optional<Wall> until;  ///< when the level can end by itself
  std::string signal;         ///< what caused it; empty when green
  bool needs_acknowledgement = false;
  bool connected = false;
  bool paused = false;
  double pace_factor = 1.0;
  std::uint32_t stage = 0;  ///< 0 .. 5, warm-up table row
  std::uint32_t trust_days = 0;
  std::vector<WindowUse> windows;
  std::optional<double> reply_share;    ///< answered openings; absent below 20
  std::optional<double> welcome_share;  ///< answered, or with consent and opened; absent below 20
  std::optional<double> bad_numbers;    ///< share of "not on WhatsApp"; absent below 20 answers
  std::optional<Wall> next_opening;     ///< when the next new customer can be written to
  std::optional<Wall> openings_closed_until;
  std::uint32_t waiting = 0;
  std::uint32_t waiting_openings = 0;
  std::uint32_t waiting_for_morning = 0;
  std::uint32_t chats = 0;
  std::uint32_t regulars = 0;  ///< in the index: from history, a list or earlier years
  std::uint32_t opted_out = 0;
  std::vector<ActiveOverride> overrides;
};

/// Two lines of plain words: "7 of 12 new customers today. Next new customer at 14:05. 3 jobs wait
/// for the morning." Times of another day are named with it. utc_offset: of the shop's clock.
[[nodiscard]] std::string describe(const ThrottleStatus& status, seconds utc_offset);

/// One sample for /metrics, without the "posthorn_" prefix: {"throttle_window_used",
/// "window=\"minute\"", 3}.
struct Metric {
  std::string name;
  std::string labels;  ///< inside the braces; empty: none
  double value = 0;
  bool counter = false;  ///< else a gauge
};

/// One entry of the opt-out list.
struct OptOut {
  std::string chat;
  Wall since;
  bool by_operator = false;
};

/// One record of the audit log (policy section 10). No message text; chats as salted hashes.
struct AuditRecord {
  std::uint64_t number = 0;
  Wall time;
  std::string who;   ///< "throttle" for automatic changes, else the operator's name
  std::string what;  ///< "level", "setting.hour_limit", "override", "opt_out", …
  std::string before, after;
  std::string reason;         ///< the signal, or the operator's words
  std::string previous_hash;  ///< hex SHA-256 of the record before; 64 zeros for the first
  std::string hash;           ///< hex SHA-256 of this record
};
/// What `hash` must be, from all members but itself.
[[nodiscard]] std::string audit_hash(const AuditRecord& record);

}  // namespace posthorn::throttle
