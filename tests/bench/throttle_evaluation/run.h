#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "policy.h"

namespace posthorn::evaluation {

/// One account, followed to the horizon.
struct Outcome {
  double demand = 0;     ///< jobs a day that could have been delivered
  double delivered = 0;  ///< a day
  bool any_lock = false;
  bool permanent = false;
  double days_locked = 0;
  double complaints = 0;  ///< per 1000 delivered
  double to_opted_out = 0;
  double unwanted = 0;   ///< to_opted_out a day
  double refused = 0;    ///< jobs that left unsent, for any reason
  double first_day = 0;  ///< delivered of what was wanted on the first day
  double seventh_day = 0;
  double openings = 0;  ///< first messages to people who had never written, a day
  double official = 0;  ///< a day by the official number; among the delivered
  double cost = 0;      ///< of those, a day
  double braked = 0;    ///< share of days on which ours held openings back for poor numbers
  /// Seconds from the shop's order to the send, by lane: reply, known, first. Sorted.
  std::array<std::vector<float>, 3> latency;
};

struct Cell {
  Workload workload = Workload::w1;
  int age_days = 0;
  double strictness = 1;
  Start start = Start::history;
  double answers = -1;  ///< of new customers; negative: as in the model
  bool scored = false;  ///< enforced by points that fade instead of thresholds
  bool operator==(const Cell&) const = default;
};

[[nodiscard]] Outcome run_account(const Model& model, const Cell& cell, PolicyName policy, int days,
                                  std::uint64_t seed);

}  // namespace posthorn::evaluation
