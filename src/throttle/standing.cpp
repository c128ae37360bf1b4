#include "throttle/standing.h"

#include <algorithm>
#include <utility>

namespace posthorn::throttle {
namespace {

constexpr Tick kGroup = 6 * kHour;  // signals within it are one
constexpr Tick kLadderMemory = 30 * kDay;
constexpr Tick kUnknownCycle = 30 * kDay;
constexpr Tick kStableStream = 10 * kMinute;
constexpr std::int32_t kSlowest = 250;  // the pace factor's floor, in thousandths

constexpr std::array<Tick, 4> kUnknownLock{24 * kHour, 24 * kHour, 48 * kHour, 6 * kDay};

/// How long openings stay closed after the lock itself (section 8.4).
Tick margin(int rung, Tick lock) {
  switch (rung) {
    case 1:
      return std::max(kHour, lock / 10);
    case 2:
      return 24 * kHour;
    case 3:
      return 5 * kDay;
    default:
      return 30 * kDay;
  }
}

/// How long nothing goes after a temporary ban is over, by the signals of the last 30 days. Whoever
/// goes on while the complaints that led to the ban still count is banned again (DECISIONS.md).
constexpr std::array<Tick, 4> kRestAfterBan{kHour, 5 * kDay, 7 * kDay, 14 * kDay};

Tick rest_after_ban(const Standing& s) {
  return kRestAfterBan[static_cast<std::size_t>(std::max<int>(s.rung, 1)) - 1];
}

void stages_back(Standing& s, std::size_t count) {
  const std::size_t stage = stage_of(s.trust_days);
  const std::size_t target = stage > count ? stage - count : 0;
  s.trust_days = std::min(s.trust_days, kStages[target].from_day);
}

void close_openings(Standing& s, Tick until) {
  s.openings_closed_until = std::max(s.openings_closed_until, until);
}

Tick cycle_end_after(const Standing& s, Tick now) {
  return s.cycle_end > now ? s.cycle_end : now + kUnknownCycle;
}

/// One signal more within 30 days.
void step_up(Standing& s, Tick now) {
  const auto recent = std::count_if(s.ladder.begin(), s.ladder.end(),
                                    [now](Tick at) { return at != 0 && now - at < kLadderMemory; });
  s.rung = static_cast<std::uint8_t>(std::min<std::int64_t>(4, recent + 1));
  std::rotate(s.ladder.begin(), s.ladder.end() - 1, s.ladder.end());
  s.ladder[0] = now;
}

void climb_ladder(Standing& s, Tick now) {
  s.group_at = now;
  s.factor = std::max(kSlowest, s.factor / 2);
  s.day_had_signal = true;
  step_up(s, now);
  stages_back(s, s.rung >= 4 ? kStages.size() : 2);
  if (s.resumed_at != 0 && now - s.resumed_at < 7 * kDay)
    close_openings(s, cycle_end_after(s, now));
}

/// lock_end: 0 when the server did not say.
void turn_yellow(Standing& s, Signal::Kind cause, Tick lock_end, Tick now) {
  if (s.group_at == 0 || now - s.group_at >= kGroup) climb_ladder(s, now);
  if (!s.yellow) {
    s.yellow = true;
    s.yellow_at = now;
    s.yellow_cause = cause;
    s.lock_until = 0;
    s.lock_known = false;
    s.known_stopped = false;
  }
  s.lock_inactive = false;
  s.yellow_ended = false;
  s.acknowledged = false;
  if (lock_end != 0) {
    s.lock_until = s.lock_known ? std::max(s.lock_until, lock_end) : lock_end;
    s.lock_known = true;
  } else if (!s.lock_known || s.lock_until < now) {
    s.lock_until = std::max(s.lock_until, now + kUnknownLock[s.rung == 0 ? 0 : s.rung - 1U]);
    s.lock_known = false;
  }
  s.reopen_at = std::max(s.lock_until, now) + margin(s.rung, s.lock_until - s.yellow_at);
}

void turn_red(Standing& s, Signal::Kind cause, int code, Tick until, Tick now) {
  if (!s.red) s.red_at = now;
  s.red = true;
  s.red_cause = cause;
  s.red_code = code;
  s.red_until = std::max(s.red_until, until);
  s.acknowledged = false;
  s.factor = kSlowest;
  s.day_had_signal = true;
}

void turn_black(Standing& s, Signal::Kind cause, int code) {
  s.black = true;
  s.black_cause = cause;
  s.red_code = code;
  s.relinked = false;
  s.acknowledged = false;
  s.factor = kSlowest;
  s.day_had_signal = true;
}

/// Nothing goes for a while: `first`, doubling with each repetition within 24 h.
bool pause_all(Standing& s, Signal::Kind cause, Tick first, Tick now) {
  if (s.pause_at != 0 && now - s.pause_at < kMinute) return false;  // the ack and its event
  s.pauses = s.pause_at != 0 && now - s.pause_at < kDay
                 ? static_cast<std::uint8_t>(std::min(s.pauses + 1, 5))
                 : std::uint8_t{0};
  s.pause_at = now;
  s.pause_until = std::max(s.pause_until, now + (first << s.pauses));
  turn_amber(s, cause, now);
  return true;
}

bool known_enforcement(const std::string& type) {
  return type.empty() || type == "WEB_COMPANION_ONLY" || type == "BIZ_QUALITY" ||
         type.starts_with("BIZ_COMMERCE_VIOLATION");
}

/// When the server says something ends. One wrong date must not close a shop for years: later than
/// this it is asked again anyway.
Tick until_of(const Signal& signal, const Moment& m) {
  return std::min(m.to_tick(signal.until->since_epoch.count()), m.now + 60 * kDay);
}

/// The account itself says that nothing is locked.
bool on_no_lock(Standing& s, Tick now) {
  const bool news = s.yellow && !s.lock_inactive;
  if (!news) return false;
  s.lock_inactive = true;
  if (now < s.lock_until && s.cap < Standing::Cap::second_warning) {
    s.lock_until = now;
    s.reopen_at = now + margin(s.rung, now - s.yellow_at);
  }
  return true;
}

bool on_reachout_lock(Standing& s, const Signal& signal, const Moment& m) {
  const bool none = !signal.active || signal.enforcement == "DEFAULT";
  if (none) return on_no_lock(s, m.now);
  const Tick until = signal.until ? until_of(signal, m) : Tick{0};
  // The six-hourly query repeats a lock that we know: that is no new signal.
  const bool repeated = s.yellow && s.lock_known && until != 0 && until <= s.lock_until;
  if (repeated) {
    s.lock_inactive = false;
  } else if (s.yellow) {
    const Tick group = s.group_at;
    s.group_at = m.now;  // a longer lock belongs to the present yellow
    turn_yellow(s, Signal::Kind::reachout_lock, until, m.now);
    s.group_at = group;
  } else {
    turn_yellow(s, Signal::Kind::reachout_lock, until, m.now);
  }
  if (!known_enforcement(signal.enforcement)) s.known_stopped = true;
  return !repeated;
}

bool on_capping(Standing& s, const Signal& signal, const Moment& m) {
  if (signal.cycle_end)
    s.cycle_end =
        std::min(m.to_tick(signal.cycle_end->since_epoch.count()), m.now + 2 * kUnknownCycle);
  // A quota of 0 is how an account without a cap is described (the cap's own switch defaults to 0).
  const bool capped = signal.total_quota && (*signal.total_quota > 0 || signal.status == "CAPPED");
  if (!capped) s.quota_half = -1;
  if (capped && signal.used_quota) {
    s.quota_half = std::max<std::int64_t>(0, *signal.total_quota - *signal.used_quota) / 2;
    s.quota_at = m.now;
    s.quota_used = 0;
  }
  const Standing::Cap before = s.cap;
  s.cap = signal.status == "CAPPED"           ? Standing::Cap::capped
          : signal.status == "SECOND_WARNING" ? Standing::Cap::second_warning
          : signal.status == "FIRST_WARNING"  ? Standing::Cap::first_warning
                                              : Standing::Cap::none;
  if (s.cap <= before) return false;
  if (s.cap == Standing::Cap::first_warning) {
    turn_amber(s, Signal::Kind::capping, m.now);
  } else {
    turn_yellow(s, Signal::Kind::capping, 0, m.now);
    if (s.cap == Standing::Cap::capped) close_openings(s, cycle_end_after(s, m.now));
  }
  return true;
}

/// After red and black: stage 0, slowest pace, no openings for a week.
void begin_again(Standing& s, Tick now) {
  s.trust_days = 0;
  s.factor = kSlowest;
  close_openings(s, now + 7 * kDay);
  s.recovery_until = std::max(s.recovery_until, now + 72 * kHour);
  s.acknowledged = false;
  s.green_since = now;
}

/// The earliest end of yellow, whatever the stream does: the time has passed, the account query
/// says so or the time has passed twice, and a person has agreed where one must.
Tick yellow_end(const Standing& s) {
  if (s.yellow_ended) return std::min(s.reopen_at, s.lock_until);
  if (s.rung >= 4 && !s.acknowledged) return kNever;
  return s.lock_inactive ? s.reopen_at : s.yellow_at + 2 * (s.reopen_at - s.yellow_at);
}

void pass_days(Standing& s, Tick now, bool up) {
  const std::int64_t today = now / kDay;
  if (s.day == 0) s.day = today;
  const bool ill = s.yellow || s.red || s.black;
  if (today > s.day) {
    if (s.day_had_link && !s.day_had_signal) ++s.trust_days;
    s.day = today;
    s.day_had_link = false;
    s.day_had_signal = false;
  }
  s.day_had_link = s.day_had_link || up;
  s.day_had_signal = s.day_had_signal || ill;
  if (s.last_traffic == 0) s.last_traffic = now;
  if (now - s.last_traffic >= 14 * kDay) {
    stages_back(s, 1);
    s.last_traffic = now;
  }
}

void pass_weeks(Standing& s, Tick now) {
  if (level_of(s, now) != Level::green || s.green_since == 0) {
    s.green_since = now;
    return;
  }
  while (now - s.green_since >= 7 * kDay) {
    s.factor = std::min(1000, s.factor + 100);
    s.green_since += 7 * kDay;
  }
}

}  // namespace

std::size_t stage_of(std::int32_t trust_days) {
  std::size_t stage = 0;
  while (stage + 1 < kStages.size() && trust_days >= kStages[stage + 1].from_day) ++stage;
  return stage;
}

Level level_of(const Standing& s, Tick now) {
  if (s.black) return Level::black;
  if (s.red) return Level::red;
  if (s.yellow) return Level::yellow;
  return now < s.amber_until ? Level::amber : Level::green;
}

Tick level_ends(const Standing& s, Tick now) {
  switch (level_of(s, now)) {
    case Level::green:
      return 0;
    case Level::amber:
      return s.amber_until;
    case Level::yellow:
      return s.rung >= 4 && !s.acknowledged ? 0 : s.reopen_at;
    case Level::red:
      return s.red_until == kNever ? 0 : s.red_until;
    case Level::black:
      return 0;
  }
  return 0;
}

Tick reconnect_at(const Standing& s) {
  const bool ban = s.red && s.red_cause == Signal::Kind::temporary_ban && s.red_until != kNever;
  return ban ? s.red_until - rest_after_ban(s) + kRestAfterBan[0] : 0;
}

bool needs_acknowledgement(const Standing& s) {
  return !s.acknowledged && (s.black || s.red || (s.yellow && s.rung >= 4));
}

void turn_amber(Standing& s, Signal::Kind cause, Tick now) {
  s.amber_until = now + kDay;
  s.amber_cause = cause;
  s.amber_alarm = Standing::Alarm::none;
}

void turn_amber(Standing& s, Standing::Alarm alarm, Tick now) {
  s.amber_until = now + kDay;
  s.amber_alarm = alarm;
}

bool apply(Standing& s, const Signal& signal, const Moment& m) {
  using Kind = Signal::Kind;
  switch (signal.kind) {
    case Kind::rate_query:
    case Kind::abrupt_closes:
      turn_amber(s, signal.kind, m.now);
      return true;
    case Kind::rate_stream:
      return pause_all(s, signal.kind, kHour, m.now);
    case Kind::rate_message:
      return pause_all(s, signal.kind, 30 * kMinute, m.now);
    case Kind::reachout_ack:
      turn_yellow(s, signal.kind, 0, m.now);
      return true;
    case Kind::new_chat_cap_ack:
      s.cap = Standing::Cap::capped;
      turn_yellow(s, signal.kind, 0, m.now);
      close_openings(s, cycle_end_after(s, m.now));
      return true;
    case Kind::reachout_lock:
      return on_reachout_lock(s, signal, m);
    case Kind::capping:
      return on_capping(s, signal, m);
    case Kind::temporary_ban: {
      const Tick expiry = signal.until ? until_of(signal, m) : m.now + kDay;
      if (!s.red) step_up(s, m.now);
      turn_red(s, signal.kind, signal.code, std::max(expiry, m.now) + rest_after_ban(s), m.now);
      return true;
    }
    case Kind::integrity_challenge:
    case Kind::takeover_notice:
      turn_red(s, signal.kind, signal.code, m.now, m.now);
      return true;
    case Kind::locked:
    case Kind::banned:
    case Kind::unlinked:
      turn_black(s, signal.kind, signal.code);
      return true;
    case Kind::relinked:
      s.relinked = true;
      return s.black;
    case Kind::replaced:
    case Kind::client_refused:
    case Kind::connection_lost:  // routers and providers do that; WhatsApp speaks first
      return false;
  }
  return false;
}

Tick next_end(const Standing& s, Tick now, Tick stream_up_since) {
  Tick end = kNever;
  const auto may_be = [&](Tick at) {
    if (at > now) end = std::min(end, at);
  };
  may_be(s.amber_until);
  if (stream_up_since == kNever) return end;
  const auto once_stable = [&](Tick at) {
    if (at != kNever) may_be(std::max(at, stream_up_since + kStableStream));
  };
  if (s.black && s.acknowledged) once_stable(0);
  if (s.red && s.acknowledged) once_stable(s.red_until);
  if (s.yellow) once_stable(yellow_end(s));
  return end;
}

bool pass_time(Standing& s, Tick now, Tick stream_up_since) {
  const bool up = stream_up_since != kNever;
  const bool stable = up && now - stream_up_since >= kStableStream;
  bool ended = false;
  if (s.black && stable && s.acknowledged) {
    s.black = false;
    s.red = false;
    begin_again(s, now);
    ended = true;
  }
  if (s.red && stable && s.acknowledged && now >= s.red_until) {
    s.red = false;
    s.red_until = 0;
    begin_again(s, now);
    ended = true;
  }
  if (s.yellow && !s.red && !s.black && stable && now >= yellow_end(s)) {
    s.yellow = false;
    s.known_stopped = false;
    s.resumed_at = now;
    s.recovery_until = now + 72 * kHour;
    ended = true;
  }
  pass_days(s, now, up);
  pass_weeks(s, now);
  return ended;
}

void credit_months(Standing& s, std::uint32_t months, Tick now) {
  s.trust_days += static_cast<std::int32_t>(std::min<std::uint32_t>(months, 6) * 15);
  s.credited = true;
  s.declared_at = now;
}

bool credit_age(Standing& s, Tick age) {
  if (std::exchange(s.aged, true)) return false;
  const auto days = static_cast<std::int32_t>(std::clamp<Tick>(age / kDay / 2, 0, 30));
  if (days <= s.trust_days) return false;
  s.trust_days = days;
  return true;
}

}  // namespace posthorn::throttle
