#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "posthorn/throttle/signal.h"
#include "posthorn/throttle/status.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

/// How the account stands with WhatsApp, as far as it told us: levels, the ladder, the pace factor
/// and the trust days (policy sections 4 and 8). Plain data; the functions below move it.
struct Standing {
  /// What the world was told last; a difference to level_of() is a change to tell.
  Level told = Level::green;
  Tick told_at = 0;

  Tick amber_until = 0;
  Signal::Kind amber_cause = Signal::Kind::rate_query;
  /// Stored: do not renumber. What our own counters said, if it was they.
  enum class Alarm : std::uint8_t { none = 0, reply_share = 1 };
  Alarm amber_alarm = Alarm::none;
  Tick pause_until = 0;     ///< a 429: nothing goes before this
  std::uint8_t pauses = 0;  ///< doublings within 24 h
  Tick pause_at = 0;

  bool yellow = false;
  bool known_stopped = false;  ///< this yellow stops the known lane too
  bool lock_inactive = false;  ///< the account query said so after the lock
  bool lock_known = false;     ///< lock_until is the server's word, not our guess
  bool yellow_ended = false;   ///< by an override with a reason (fourth yellow only)
  std::uint8_t rung = 0;       ///< 1 .. 4, of the newest yellow or ban
  Signal::Kind yellow_cause = Signal::Kind::reachout_ack;
  Tick yellow_at = 0;
  Tick lock_until = 0;
  Tick reopen_at = 0;
  Tick group_at = 0;             ///< first signal of the present group of 6 h
  std::array<Tick, 4> ladder{};  ///< yellows and bans, newest first
  Tick resumed_at = 0;
  Tick recovery_until = 0;
  Tick openings_closed_until = 0;

  bool red = false;
  Signal::Kind red_cause = Signal::Kind::temporary_ban;
  int red_code = 0;
  Tick red_at = 0;
  Tick red_until = 0;  ///< server's expiry and the rest after it; kNever: only the operator ends it
  bool black = false;
  Signal::Kind black_cause = Signal::Kind::banned;
  bool relinked = false;
  bool acknowledged = false;

  std::int32_t factor = 1000;  ///< the pace factor f in thousandths
  Tick green_since = 0;
  std::int32_t trust_days = 0;
  bool credited = false;  ///< declare_in_use() was used
  bool aged = false;      ///< the account's age was counted
  Tick declared_at = 0;   ///< when credited was set; 0: by an older release
  std::int64_t day = 0;   ///< the day being counted, ticks / kDay
  bool day_had_signal = false;
  bool day_had_link = false;
  Tick last_traffic = 0;
  std::array<Tick, 3> unused{};  ///< lost connections, which an older release counted

  // The server's own numbers for new chats.
  /// Stored: do not renumber.
  enum class Cap : std::uint8_t { none = 0, first_warning = 1, second_warning = 2, capped = 3 };
  Cap cap = Cap::none;
  std::int64_t quota_half = -1;  ///< half of what remained when it told us; -1: unknown
  Tick quota_at = 0;
  Tick cycle_end = 0;            ///< 0: unknown
  std::uint32_t quota_used = 0;  ///< openings since quota_at

  template <class Archive>
  void fields(Archive& a);
};

/// Warm-up table of section 4.
struct Stage {
  std::int32_t from_day;
  std::uint32_t openings;
  std::uint32_t per_day;
  std::uint32_t budget;
};
inline constexpr std::array<Stage, 6> kStages{{{0, 5, 50, 60},
                                               {3, 10, 80, 100},
                                               {7, 16, 150, 250},
                                               {14, 22, 300, 500},
                                               {30, 26, 500, 700},
                                               {90, 30, 800, 900}}};
/// A box that has never seen the phone's history takes each regular of an old number for a
/// stranger. So long after the declaration it may meet a third more of them, until it knows most.
inline constexpr Tick kBridge = 14 * kDay;
[[nodiscard]] std::size_t stage_of(std::int32_t trust_days);

[[nodiscard]] Level level_of(const Standing& standing, Tick now);
/// When the present level can end by itself; 0: unknown or never.
[[nodiscard]] Tick level_ends(const Standing& standing, Tick now);
/// After a temporary ban the link may come back an hour after its expiry, though nothing is sent
/// yet; 0: there is none.
[[nodiscard]] Tick reconnect_at(const Standing& standing);
[[nodiscard]] bool needs_acknowledgement(const Standing& standing);

/// When pass_time() may next find that a level has ended, with the stream as it is; kNever: not by
/// time alone. Later than now.
[[nodiscard]] Tick next_end(const Standing& standing, Tick now, Tick stream_up_since);

/// Takes one signal in. Returns false when it says nothing new.
bool apply(Standing& standing, const Signal& signal, const Moment& moment);
/// Amber for 24 h from now.
void turn_amber(Standing& standing, Signal::Kind cause, Tick now);
void turn_amber(Standing& standing, Standing::Alarm alarm, Tick now);

/// Lets time pass: days, weeks of green, ends of locks. stream_up_since: kNever when offline.
/// Returns true when a yellow, red or black ended just now.
bool pass_time(Standing& standing, Tick now, Tick stream_up_since);
/// "In daily use for N months", declared by a person. now: the bridge of kBridge begins then.
void credit_months(Standing& standing, std::uint32_t months, Tick now = 0);
/// WhatsApp's own word of how old the account is, once. Age without use is worth less than use: it
/// reaches no further than the stage of 30 days. Returns false when it changes nothing.
bool credit_age(Standing& standing, Tick age);

template <class Archive>
void Standing::fields(Archive& a) {
  a(told);
  a(told_at);
  a(amber_until);
  a(amber_cause);
  a(amber_alarm);
  a(pause_until);
  a(pauses);
  a(pause_at);
  a(yellow);
  a(known_stopped);
  a(lock_inactive);
  a(lock_known);
  a(yellow_ended);
  a(rung);
  a(yellow_cause);
  a(yellow_at);
  a(lock_until);
  a(reopen_at);
  a(group_at);
  for (Tick& at : ladder) a(at);
  a(resumed_at);
  a(recovery_until);
  a(openings_closed_until);
  a(red);
  a(red_cause);
  a(red_code);
  a(red_at);
  a(red_until);
  a(black);
  a(black_cause);
  a(relinked);
  a(acknowledged);
  a(factor);
  a(green_since);
  a(trust_days);
  a(credited);
  a(day);
  a(day_had_signal);
  a(day_had_link);
  a(last_traffic);
  for (Tick& at : unused) a(at);
  a(cap);
  a(quota_half);
  a(quota_at);
  a(cycle_end);
  a(quota_used);
}

}  // namespace posthorn::throttle
