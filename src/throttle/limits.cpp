#include "throttle/limits.h"

#include <algorithm>
#include <cmath>

namespace posthorn::throttle {
namespace {

std::uint32_t scaled(std::int64_t limit, double rate, std::uint32_t at_least) {
  // The tiny addition keeps 10 * 0.3 from becoming 2 by rounding.
  const double value = std::floor(static_cast<double>(limit) * rate + 1e-9);
  return std::max(at_least, static_cast<std::uint32_t>(std::max(0.0, value)));
}

double doubled(const State& state, Exception limit, Tick now) {
  return find_override(state, limit, now) != nullptr ? 2.0 : 1.0;
}

double pace_factor(const State& state) { return state.standing.factor / 1000.0; }

bool recovering(const State& state, Tick now) { return now < state.standing.recovery_until; }

/// Section 6: what the share of answered openings leaves of the allowance.
double reply_share_factor(double share) {
  if (share < 0 || share >= 0.30) return 1.0;
  if (share >= 0.15) return 0.5;
  return 0.25;
}

/// Half of what the server says remains, spread over the days left.
double quota_per_day(const State& state, Tick now) {
  const Standing& s = state.standing;
  const Tick end = s.cycle_end > now ? s.cycle_end : s.quota_at + 30 * kDay;
  const double days = std::max(1.0, static_cast<double>(end - s.quota_at) / kDay);
  return static_cast<double>(s.quota_half) / days;
}

}  // namespace

double known_rate(const State& state, Tick now) {
  double rate = pace_factor(state);
  const Level level = level_of(state.standing, now);
  if (level == Level::amber || level == Level::yellow) rate *= 0.5;
  if (recovering(state, now)) rate *= 0.5;
  return rate;
}

double reconnect_ramp(const State& state, Tick now) {
  const double part =
      std::clamp(static_cast<double>(now - state.connected_at) / (10 * kMinute), 0.0, 1.0);
  return 0.25 + 0.75 * part;
}

GapRange gap_range(const State& state, Lane lane, Tick now) {
  const Settings& s = state.settings;
  const auto stretch = [](std::int64_t low, std::int64_t high, double by) {
    return GapRange{static_cast<Tick>(static_cast<double>(low) * by),
                    static_cast<Tick>(static_cast<double>(high) * by)};
  };
  switch (lane) {
    case Lane::reply: {
      const bool slow = level_of(state.standing, now) == Level::yellow || recovering(state, now);
      return stretch(s.gap_reply_min_ms, s.gap_reply_max_ms, slow ? 2.0 : 1.0);
    }
    case Lane::known:
      return stretch(s.gap_known_min_ms, s.gap_known_max_ms,
                     1.0 / (known_rate(state, now) * reconnect_ramp(state, now)));
    case Lane::first:
      return stretch(s.gap_first_min_ms, s.gap_first_max_ms,
                     1.0 / (pace_factor(state) * reconnect_ramp(state, now)));
  }
  return {};
}

const Stage& stage_now(const State& state, const Moment& moment) {
  return kStages[moment.trusted ? stage_of(state.standing.trust_days) : 0];
}

std::uint32_t minute_limit(const State& state, Tick now) {
  const double rate = known_rate(state, now) * reconnect_ramp(state, now);
  return scaled(state.settings.minute_limit, rate * doubled(state, Exception::minute, now), 1);
}

std::uint32_t minute_reply_limit(const State& state, Tick now) {
  double rate = doubled(state, Exception::minute_reply, now);
  if (recovering(state, now)) rate *= 0.5;
  return scaled(state.settings.minute_reply_limit, rate, 1);
}

std::uint32_t hour_limit(const State& state, Tick now) {
  return scaled(state.settings.hour_limit,
                known_rate(state, now) * doubled(state, Exception::hour, now), 1);
}

std::uint32_t day_limit(const State& state, const Moment& moment) {
  const std::int64_t base = state.settings.day_limit != 0 && moment.trusted
                                ? state.settings.day_limit
                                : stage_now(state, moment).per_day;
  double rate = pace_factor(state) * doubled(state, Exception::day, moment.now);
  if (recovering(state, moment.now)) rate *= 0.5;
  return std::min(scaled(base, rate, 10), 1000U);
}

std::uint32_t budget_limit(const State& state, const Moment& moment) {
  const double rate = pace_factor(state) * doubled(state, Exception::budget_30d, moment.now);
  return scaled(stage_now(state, moment).budget, rate, 1);
}

OpeningLimit opening_limit(const State& state, const Moment& moment) {
  const Tick now = moment.now;
  double allowed = stage_now(state, moment).openings * pace_factor(state);
  if (level_of(state.standing, now) == Level::amber) allowed *= 0.5;
  if (recovering(state, now)) allowed *= 0.25;
  allowed *= doubled(state, Exception::openings, now);
  const Standing& standing = state.standing;
  if (standing.quota_half >= 0) {
    allowed = std::min(allowed, quota_per_day(state, now));
    if (standing.quota_used >= standing.quota_half) allowed = 0;
  }
  if (bad_number_share(state) > 0.10) allowed = std::min(allowed, 2.0);
  const double share = reply_share(state, now);
  const double left =
      share >= 0 && share < 0.10 ? std::min(allowed, 0.2) : allowed * reply_share_factor(share);
  return {left, left < allowed};
}

std::uint32_t plain_opening_limit(double allowed) {
  return std::max(1U, static_cast<std::uint32_t>(allowed / 2));
}

std::uint32_t openings_used(const State& state, Tick now, bool plain_only) {
  std::uint32_t count = 0;
  const std::size_t size = state.openings.size();
  for (std::size_t i = 0; i < size; ++i) {
    const Opening& opening = state.openings[(state.openings_head + size - i) % size];
    if (opening.at == 0 || now - opening.at >= kDay) break;
    if (!plain_only || !opening.consent) ++count;
  }
  return count;
}

}  // namespace posthorn::throttle
