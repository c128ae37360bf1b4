#pragma once

#include <cstdint>

#include "throttle/state.h"

namespace posthorn::throttle {

/// The allowances of this moment: settings and tables times everything that slows us down.

/// Of the known lane and the windows it shares with first: pace factor, amber, yellow, recovery.
[[nodiscard]] double known_rate(const State& state, Tick now);
/// Between two sends of a lane, lower and upper end in ms; the reply gap doubles in yellow.
struct GapRange {
  Tick low = 0;
  Tick high = 0;
};
[[nodiscard]] GapRange gap_range(const State& state, Lane lane, Tick now);

[[nodiscard]] const Stage& stage_now(const State& state, const Moment& moment);
[[nodiscard]] std::uint32_t minute_limit(const State& state, Tick now);
[[nodiscard]] std::uint32_t minute_reply_limit(const State& state, Tick now);
[[nodiscard]] std::uint32_t hour_limit(const State& state, Tick now);
[[nodiscard]] std::uint32_t day_limit(const State& state, const Moment& moment);
[[nodiscard]] std::uint32_t budget_limit(const State& state, const Moment& moment);

/// When the server's own numbers allow one first message more: half of what it said remained,
/// spread evenly over the days left of its cycle. `now` without numbers.
[[nodiscard]] Tick quota_free_at(const State& state, Tick now);

/// Openings in 24 h. Below 1: one every 1 / allowed days.
struct OpeningLimit {
  double allowed = 0;
  std::uint32_t plain = 0;      ///< how many of them may go without consent; counts from 1 on
  bool by_reply_ratio = false;  ///< the share of welcome openings is what makes it this small
};
[[nodiscard]] OpeningLimit opening_limit(const State& state, const Moment& moment);
/// Openings in the 24 h before now; `plain_only`: those without consent.
[[nodiscard]] std::uint32_t openings_used(const State& state, Tick now, bool plain_only);

}  // namespace posthorn::throttle
