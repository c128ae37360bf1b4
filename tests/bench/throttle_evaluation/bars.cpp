#include "bars.h"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace posthorn::evaluation {
namespace {

struct Rivals {
  double delivered = 0;
  double days_locked = 0;
  double to_the_willing = 0;  ///< the best of those without messages to people who had said stop
};

std::optional<Rivals> best_baseline(const std::vector<Summary>& all, const Cell& cell) {
  std::optional<Rivals> best;
  for (const Summary& s : all) {
    const bool rival = s.policy < PolicyName::simple;
    if (!rival || !(s.cell == cell)) continue;
    const double willing = s.delivered.value - s.unwanted;
    if (!best) best = Rivals{s.delivered.value, s.days_locked.value, willing};
    best->to_the_willing = std::max(best->to_the_willing, willing);
    best->delivered = std::max(best->delivered, s.delivered.value);
    best->days_locked = std::min(best->days_locked, s.days_locked.value);
  }
  return best;
}

const Summary* yardstick(const std::vector<Summary>& all, const Cell& cell) {
  const auto found = std::find_if(all.begin(), all.end(), [&cell](const Summary& s) {
    return s.policy == PolicyName::simple && s.cell == cell;
  });
  return found == all.end() ? nullptr : &*found;
}

class Judge {
 public:
  Judge(const Summary& ours, const Rivals& rivals) : ours_(ours), rivals_(rivals) {}

  /// Section 16 of the policy.
  void against_baselines() {
    if (ours_.cell.workload == Workload::w5) {
      at_most("W5: delivered per day", ours_.delivered, 2);
      at_most("W5: permanent bans", ours_.permanent, 0);
      return;
    }
    if (ours_.cell.strictness == 1) return normal();
    at_most("permanent bans", ours_.permanent, 0.10);
    const double share = ours_.cell.strictness < 1 ? 1.0 : 0.9;
    at_least("delivered per day", ours_.delivered, rivals_.delivered * share);
  }
  /// What all our rules are worth: nowhere behind twenty lines that nobody was banned for.
  void against_the_yardstick(const Summary& simple) {
    if (simple.permanent.value > 0 || ours_.cell.workload == Workload::w5) return;
    at_least("delivered: simple, which nobody is banned for", ours_.delivered,
             (simple.delivered.value - simple.unwanted) * 0.99);
  }
  /// What a shop may rely on, whoever else does better.
  void for_a_shop() {
    const Cell& cell = ours_.cell;
    at_most("permanent bans, every cell", ours_.permanent, cell.answers >= 0 ? 0.02 : 0.04);
    const bool receipts = cell.workload == Workload::w1 && !cell.scored;
    if (!receipts) return;
    if (cell.answers >= 0) at_least("new customers a day", ours_.openings, 7);
    if (cell.answers >= 0 || cell.strictness != 1) return;
    if (cell.age_days == 0) at_most("known p95, s", exactly(ours_.p95[1]), 1800);
    if (cell.age_days == 0) return;
    if (cell.start == Start::history) at_least("delivered on the first day", ours_.first_day, 73);
    if (cell.start == Start::history) at_least("delivered per day", ours_.delivered, 73);
    if (cell.start == Start::declared)
      at_least("delivered on the seventh day", ours_.seventh_day, 65);
  }
  [[nodiscard]] std::vector<Bar> take() { return std::move(bars_); }

 private:
  static Estimate exactly(double value) { return {value, value, value}; }
  void normal() {
    at_least("delivered per day", ours_.delivered, rivals_.delivered * 0.99);
    at_most("days locked", ours_.days_locked,
            rivals_.days_locked > 1 ? rivals_.days_locked / 3 : 0.5);
    at_most("permanent bans", ours_.permanent, 0.05);
    at_most("messages to opted-out people", exactly(ours_.to_opted_out), 0);
    if (ours_.cell.workload == Workload::w4)
      at_most("reply latency p95, s", exactly(ours_.p95[0]), 5);
  }
  void at_least(std::string what, Estimate reached, double wanted) {
    bars_.push_back({ours_.cell, std::move(what), reached.value, wanted, reached, true,
                     reached.value >= wanted, ""});
    if (bars_.back().passed) return;
    char note[96];
    std::snprintf(note, sizeof note, "the best baseline without those who had said stop: %.2f",
                  rivals_.to_the_willing);
    bars_.back().note = note;
  }
  void at_most(std::string what, Estimate reached, double wanted) {
    bars_.push_back({ours_.cell, std::move(what), reached.value, wanted, reached, false,
                     reached.value <= wanted, ""});
  }

  const Summary& ours_;
  Rivals rivals_;
  std::vector<Bar> bars_;
};

}  // namespace

std::vector<Bar> judge(const std::vector<Summary>& summaries) {
  std::vector<Bar> out;
  for (const Summary& ours : summaries) {
    if (ours.policy != PolicyName::posthorn) continue;
    const std::optional<Rivals> rivals = best_baseline(summaries, ours.cell);
    Judge judge(ours, rivals.value_or(Rivals{}));
    const bool of_the_policy = ours.cell.workload <= Workload::w5 && !ours.cell.scored &&
                               ours.cell.start == Start::history && ours.cell.answers < 0;
    if (rivals && of_the_policy) judge.against_baselines();
    if (const Summary* simple = yardstick(summaries, ours.cell))
      judge.against_the_yardstick(*simple);
    judge.for_a_shop();
    const std::vector<Bar> bars = judge.take();
    out.insert(out.end(), bars.begin(), bars.end());
  }
  return out;
}

}  // namespace posthorn::evaluation
