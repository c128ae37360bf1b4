#include "throttle/report.h"

#include <algorithm>
#include <array>

#include "throttle/decide.h"
#include "throttle/limits.h"

namespace posthorn::throttle {
namespace {

constexpr std::array<std::string_view, 9> kExceptions{
    "",    "openings",   "minute",   "minute_reply", "hour",
    "day", "budget_30d", "campaign", "yellow_hold"};

/// Openings allowed today; a share of one is shown as one while it may be used.
std::uint32_t openings_allowed(const State& state, const Moment& m) {
  if (state.standing.yellow || state.standing.openings_closed_until > m.now) return 0;
  const double allowed = opening_limit(state, m).allowed;
  return allowed <= 0 ? 0 : std::max(1U, static_cast<std::uint32_t>(allowed));
}

std::vector<WindowUse> build_windows(const State& s, const Moment& m) {
  const Tick now = m.now;
  const auto limit = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  return {
      {"minute", s.minute_known_first.used(now), minute_limit(s, now)},
      {"minute_reply", s.minute_reply.used(now), minute_reply_limit(s, now)},
      {"hour", s.hour_known_first.used(now), hour_limit(s, now)},
      {"day", s.day_known_first.used(now), day_limit(s, m)},
      {"day_total", s.day_total.used(now), limit(s.settings.day_total_limit)},
      {"openings_day", openings_used(s, now, false), openings_allowed(s, m)},
      {"budget_30d", s.month_unanswered.used(now), budget_limit(s, m)},
      {"checks_hour", s.hour_checks.used(now), limit(s.settings.checks_hour_limit)},
      {"checks_day", s.day_checks.used(now), limit(s.settings.checks_day_limit)},
      {"groups_day", s.day_groups.used(now), 2},
      {"group_members_day", s.day_members.used(now), 10},
      {"statuses_day", s.day_statuses.used(now), 4},
      {"profile_day", s.day_profile.used(now), 4},
      {"look_ups_hour", s.hour_look_ups.used(now), 60},
  };
}

std::optional<Wall> wall_of(const Moment& m, Tick at) {
  if (at <= 0 || at == kNever) return std::nullopt;
  return Wall{milliseconds(m.to_wall(at)), m.trusted};
}

}  // namespace

std::string_view to_string(Exception limit) {
  const auto at = static_cast<std::size_t>(limit);
  return at < kExceptions.size() ? kExceptions[at] : std::string_view();
}

Exception parse_exception(std::string_view name) {
  for (std::size_t i = 1; i < kExceptions.size(); ++i) {
    if (kExceptions[i] == name) return static_cast<Exception>(i);
  }
  return Exception::none;
}

std::string_view cause_of(const Standing& s, Level level) {
  switch (level) {
    case Level::green:
      return {};
    case Level::amber:
      switch (s.amber_alarm) {
        case Standing::Alarm::none:
          return to_string(s.amber_cause);
        case Standing::Alarm::reply_share:
          return "reply_share";
      }
      return {};
    case Level::yellow:
      return to_string(s.yellow_cause);
    case Level::red:
      return to_string(s.red_cause);
    case Level::black:
      return to_string(s.black_cause);
  }
  return {};
}

ThrottleStatus build_status(const Engine& engine, const Moment& m) {
  const State& s = engine.state;
  ThrottleStatus out;
  out.now = Wall{milliseconds(m.wall_ms), m.trusted};
  out.level = level_of(s.standing, m.now);
  out.since = Wall{milliseconds(m.to_wall(s.standing.told_at)), m.trusted};
  out.until = wall_of(m, level_ends(s.standing, m.now));
  out.signal = std::string(cause_of(s.standing, out.level));
  out.needs_acknowledgement = needs_acknowledgement(s.standing);
  out.connected = s.connected;
  out.paused = s.paused;
  out.pace_factor = s.standing.factor / 1000.0;
  out.stage = static_cast<std::uint32_t>(m.trusted ? stage_of(s.standing.trust_days) : 0);
  out.trust_days = static_cast<std::uint32_t>(s.standing.trust_days);
  out.windows = build_windows(s, m);
  if (const double share = reply_share(s, m.now); share >= 0) out.reply_share = share;
  if (const double share = welcome_share(s, m.now); share >= 0) out.welcome_share = share;
  if (const double share = bad_number_share(s); share >= 0) out.bad_numbers = share;
  const Tick next = earliest_opening(s, m, true, 0);
  if (next > m.now) out.next_opening = wall_of(m, next);
  if (s.standing.openings_closed_until > m.now)
    out.openings_closed_until = wall_of(m, s.standing.openings_closed_until);
  out.waiting = static_cast<std::uint32_t>(engine.waiting.size());
  out.waiting_openings = static_cast<std::uint32_t>(engine.waiting.at_home(Line::opening_consent) +
                                                    engine.waiting.at_home(Line::opening_plain));
  out.waiting_for_morning = static_cast<std::uint32_t>(engine.waiting.held_for(Hold::quiet_hours));
  out.chats = static_cast<std::uint32_t>(s.chats.size());
  out.regulars = static_cast<std::uint32_t>(s.chats.regulars.size());
  out.opted_out = static_cast<std::uint32_t>(s.chats.opted_out());
  for (const RunningOverride& running : s.overrides) {
    if (running.limit == Exception::none || m.now >= running.until) continue;
    out.overrides.push_back({std::string(to_string(running.limit)), *wall_of(m, running.until),
                             running.reason, running.who});
  }
  return out;
}

std::vector<Metric> build_metrics(const ThrottleStatus& status) {
  std::vector<Metric> out;
  const auto gauge = [&out](std::string name, std::string labels, double value) {
    out.push_back({std::move(name), std::move(labels), value, false});
  };
  for (const WindowUse& window : status.windows) {
    const std::string label = "window=\"" + std::string(window.name) + "\"";
    gauge("throttle_window_used", label, window.used);
    gauge("throttle_window_allowed", label, window.allowed);
  }
  for (const Level level : {Level::green, Level::amber, Level::yellow, Level::red, Level::black}) {
    gauge("throttle_level", "level=\"" + std::string(to_string(level)) + "\"",
          status.level == level ? 1 : 0);
  }
  gauge("throttle_pace_factor", "", status.pace_factor);
  gauge("throttle_stage", "", status.stage);
  gauge("throttle_trust_days", "", status.trust_days);
  gauge("throttle_waiting_jobs", "", status.waiting);
  gauge("throttle_waiting_openings", "", status.waiting_openings);
  gauge("throttle_chats", "", status.chats);
  gauge("throttle_opted_out", "", status.opted_out);
  gauge("throttle_overrides_active", "", static_cast<double>(status.overrides.size()));
  if (status.reply_share) gauge("throttle_reply_share", "", *status.reply_share);
  if (status.welcome_share) gauge("throttle_welcome_share", "", *status.welcome_share);
  if (status.bad_numbers) gauge("throttle_bad_number_share", "", *status.bad_numbers);
  return out;
}

}  // namespace posthorn::throttle
