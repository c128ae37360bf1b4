#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run.h"

namespace posthorn::evaluation {

struct GridOptions {
  Model model;
  std::vector<PolicyName> policies;
  std::vector<Cell> cells;
  int accounts = 30;
  int days = 60;
  std::uint64_t seed = 1;
  unsigned threads = 2;
};

/// Every combination of these.
struct Axes {
  std::vector<Workload> workloads;
  std::vector<int> ages{0, 180};
  std::vector<double> strictness{0.5, 1, 2};
  std::vector<Start> starts{Start::history};
  std::vector<double> answers{-1};
  std::vector<bool> scored{false};
};
[[nodiscard]] std::vector<Cell> product(const Axes& axes);
/// What EVALUATION.md shows: the five workloads of the policy and the shops, by thresholds and by
/// score, each start of a box, and customers who hardly ever answer.
[[nodiscard]] std::vector<Cell> standard_cells();

/// A mean or a share with its 95 % interval.
struct Estimate {
  double value = 0, low = 0, high = 0;
};
[[nodiscard]] Estimate mean_of(const std::vector<double>& values);
/// Wilson's interval.
[[nodiscard]] Estimate share_of(std::size_t hits, std::size_t of);

struct Summary {
  Cell cell;
  PolicyName policy = PolicyName::none;
  Estimate demand, delivered, any_lock, permanent, days_locked, complaints, refused;
  Estimate first_day, seventh_day, openings, braked;
  Estimate official, cost;
  double to_opted_out = 0;  ///< in all accounts together
  double unwanted = 0;      ///< the same per account and day: delivered to people who had said stop
  /// Seconds: p50 and p95 by lane; negative: no message in it.
  std::array<double, 3> p50{}, p95{};
};

/// Every policy in every cell, the same seeds for all of them.
[[nodiscard]] std::vector<Summary> run_grid(const GridOptions& options);

}  // namespace posthorn::evaluation
