#include "grid.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

namespace posthorn::evaluation {
namespace {

/// Two-sided 95 % of Student's t; large samples: 1.96.
double student(std::size_t n) {
  constexpr std::array<double, 11> kSmall{0,     12.71, 4.303, 3.182, 2.776, 2.571,
                                          2.447, 2.365, 2.306, 2.262, 2.228};
  const std::size_t freedom = n - 1;
  if (freedom < kSmall.size()) return kSmall[freedom];
  return 1.96 + 2.4 / static_cast<double>(freedom);
}

double quantile(const std::vector<float>& sorted, double q) {
  if (sorted.empty()) return -1;
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

Summary summarize(const Cell& cell, PolicyName policy, std::vector<Outcome>& outcomes) {
  Summary s;
  s.cell = cell;
  s.policy = policy;
  const auto mean = [&outcomes](double Outcome::*member) {
    std::vector<double> values;
    for (const Outcome& outcome : outcomes) values.push_back(outcome.*member);
    return mean_of(values);
  };
  const auto share = [&outcomes](bool Outcome::*member) {
    const auto hits = std::count_if(outcomes.begin(), outcomes.end(),
                                    [member](const Outcome& o) { return o.*member; });
    return share_of(static_cast<std::size_t>(hits), outcomes.size());
  };
  s.demand = mean(&Outcome::demand);
  s.delivered = mean(&Outcome::delivered);
  s.any_lock = share(&Outcome::any_lock);
  s.permanent = share(&Outcome::permanent);
  s.days_locked = mean(&Outcome::days_locked);
  s.complaints = mean(&Outcome::complaints);
  s.refused = mean(&Outcome::refused);
  s.first_day = mean(&Outcome::first_day);
  s.seventh_day = mean(&Outcome::seventh_day);
  s.openings = mean(&Outcome::openings);
  s.braked = mean(&Outcome::braked);
  s.official = mean(&Outcome::official);
  s.cost = mean(&Outcome::cost);
  s.unwanted = mean(&Outcome::unwanted).value;
  for (const Outcome& outcome : outcomes) s.to_opted_out += outcome.to_opted_out;
  for (std::size_t lane = 0; lane < 3; ++lane) {
    std::vector<float> all;
    for (const Outcome& outcome : outcomes)
      all.insert(all.end(), outcome.latency[lane].begin(), outcome.latency[lane].end());
    std::sort(all.begin(), all.end());
    s.p50[lane] = quantile(all, 0.50);
    s.p95[lane] = quantile(all, 0.95);
  }
  return s;
}

}  // namespace

Estimate mean_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  double sum = 0;
  for (const double value : values) sum += value;
  const auto n = static_cast<double>(values.size());
  const double mean = sum / n;
  if (values.size() == 1) return {mean, mean, mean};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double half = student(values.size()) * std::sqrt(squares / (n - 1) / n);
  return {mean, mean - half, mean + half};
}

Estimate share_of(std::size_t hits, std::size_t of) {
  if (of == 0) return {};
  const auto n = static_cast<double>(of);
  const double p = static_cast<double>(hits) / n;
  const double z = 1.96;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
  return {p, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

std::vector<Cell> product(const Axes& axes) {
  std::vector<Cell> out;
  for (const bool scored : axes.scored) {
    for (const double answers : axes.answers) {
      for (const Start start : axes.starts) {
        for (const double strictness : axes.strictness) {
          for (const Workload workload : axes.workloads) {
            for (const int age : axes.ages)
              out.push_back({workload, age, strictness, start, answers, scored});
          }
        }
      }
    }
  }
  return out;
}

std::vector<Cell> standard_cells() {
  const std::vector<Workload> policy{Workload::w1, Workload::w2, Workload::w3, Workload::w4,
                                     Workload::w5};
  const std::vector<Workload> shops{Workload::kiosk,      Workload::walk_in, Workload::walk_in_scan,
                                    Workload::restaurant, Workload::season,  Workload::closure};
  const std::vector<Workload> counters{Workload::w1, Workload::kiosk, Workload::walk_in,
                                       Workload::restaurant};
  std::vector<Cell> out;
  const auto add = [&out](const Axes& axes) {
    const std::vector<Cell> more = product(axes);
    out.insert(out.end(), more.begin(), more.end());
  };
  add({.workloads = policy});
  add({.workloads = shops});
  add({.workloads = counters,
       .ages = {180},
       .starts = {Start::import, Start::declared, Start::nothing}});
  add({.workloads = {Workload::w1, Workload::kiosk}, .ages = {180}, .answers = {0.05}});
  add({.workloads = policy, .scored = {true}});
  add({.workloads = shops, .scored = {true}});
  return out;
}

std::vector<Summary> run_grid(const GridOptions& options) {
  struct Task {
    Cell cell;
    PolicyName policy;
  };
  std::vector<Task> tasks;
  for (const Cell& cell : options.cells) {
    for (const PolicyName policy : options.policies) tasks.push_back({cell, policy});
  }
  std::vector<Summary> out(tasks.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < tasks.size(); i = next++) {
      std::vector<Outcome> outcomes;
      for (int account = 0; account < options.accounts; ++account) {
        const std::uint64_t seed =
            mix(options.seed * 1'000'003 + static_cast<std::uint64_t>(account));
        outcomes.push_back(
            run_account(options.model, tasks[i].cell, tasks[i].policy, options.days, seed));
      }
      out[i] = summarize(tasks[i].cell, tasks[i].policy, outcomes);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < options.threads; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return out;
}

}  // namespace posthorn::evaluation
