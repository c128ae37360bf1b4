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

/// What the share of welcome openings leaves of the allowance (section 6).
double welcomed(double allowed, double share) {
  if (share < 0 || share >= 0.30) return allowed;
  if (share >= 0.15) return allowed * 0.5;
  if (share >= 0.10) return allowed * 0.25;
  return std::min(allowed, 0.2);
}

constexpr double kBridgeFactor = 4.0 / 3.0;
/// Of the unanswered that an old number counts while nobody tells of its regulars, a third are
/// regulars who do not answer receipts.
constexpr double kUnheardFactor = 1.5;
constexpr std::int32_t kOldNumber = 30;  // trust days

/// WhatsApp has warned that most of this cycle's new chats are used: the rest must last.
bool warned(const State& state, Tick now) {
  return state.standing.cap != Standing::Cap::none && now < state.standing.cycle_end;
}

Tick quota_end(const Standing& s) {
  return s.cycle_end > s.quota_at ? s.cycle_end : s.quota_at + 30 * kDay;
}

/// Half of what the server says remains, spread over the days left.
double quota_per_day(const Standing& s) {
  const double days = std::max(1.0, static_cast<double>(quota_end(s) - s.quota_at) / kDay);
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
      return stretch(s.gap_known_min_ms, s.gap_known_max_ms, 1.0 / known_rate(state, now));
    case Lane::first:
      return stretch(s.gap_first_min_ms, s.gap_first_max_ms, 1.0 / pace_factor(state));
  }
  return {};
}

const Stage& stage_now(const State& state, const Moment& moment) {
  return kStages[moment.trusted ? stage_of(state.standing.trust_days) : 0];
}

std::uint32_t minute_limit(const State& state, Tick now) {
  return scaled(state.settings.minute_limit,
                known_rate(state, now) * doubled(state, Exception::minute, now), 1);
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
  const Stage& stage = stage_now(state, moment);
  double rate = pace_factor(state) * doubled(state, Exception::budget_30d, moment.now);
  if (stage.from_day >= kOldNumber && state.chats.regulars.size() == 0) rate *= kUnheardFactor;
  return scaled(stage.budget, rate, 1);
}

Tick quota_free_at(const State& state, Tick now) {
  const Standing& s = state.standing;
  if (s.quota_half < 0) return now;
  if (s.quota_used >= s.quota_half) return std::max(now, quota_end(s));
  // Each day adds its share, the first at once.
  const double day = std::ceil((s.quota_used + 1) / quota_per_day(s)) - 1.0;
  return std::max(now, s.quota_at + static_cast<Tick>(day * kDay));
}

namespace {

/// Most strangers are regulars whom nobody has told us of.
bool bridging(const State& state, const Moment& m) {
  const Tick since = state.standing.declared_at;
  return since != 0 && m.now - since < kBridge && state.chats.regulars.size() == 0;
}

}  // namespace

OpeningLimit opening_limit(const State& state, const Moment& moment) {
  const Tick now = moment.now;
  double allowed = stage_now(state, moment).openings * pace_factor(state);
  if (bridging(state, moment)) allowed *= kBridgeFactor;
  if (level_of(state.standing, now) == Level::amber) allowed *= 0.5;
  if (recovering(state, now)) allowed *= 0.25;
  if (warned(state, now)) allowed *= 0.25;
  allowed *= doubled(state, Exception::openings, now);
  const Standing& standing = state.standing;
  if (standing.quota_half >= 0) {
    allowed = std::min(allowed, quota_per_day(standing));
    if (standing.quota_used >= standing.quota_half) allowed = 0;
  }
  const double bad = bad_number_share(state);
  if (bad > kPoorNumbers) allowed = std::min(allowed, 2.0);
  const double left = welcomed(allowed, welcome_share(state, now));
  auto plain = std::max(1U, static_cast<std::uint32_t>(left / 2));
  if (bad > kPoorList) plain = std::min(plain, 2U);
  return {left, plain, left < allowed};
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
