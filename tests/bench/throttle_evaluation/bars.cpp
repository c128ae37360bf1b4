#include "bars.h"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace posthorn::evaluation {
namespace {

bool same_cell(const Cell& a, const Cell& b) {
  return a.workload == b.workload && a.age_days == b.age_days && a.strictness == b.strictness;
}

struct Rivals {
  double delivered = 0;
  double days_locked = 0;
  double to_the_willing = 0;  ///< the best of those without messages to people who had said stop
};

std::optional<Rivals> best_baseline(const std::vector<Summary>& all, const Cell& cell) {
  std::optional<Rivals> best;
  for (const Summary& s : all) {
    if (s.policy == PolicyName::posthorn || !same_cell(s.cell, cell)) continue;
    const double willing = s.delivered.value - s.unwanted;
    if (!best) best = Rivals{s.delivered.value, s.days_locked.value, willing};
    best->to_the_willing = std::max(best->to_the_willing, willing);
    best->delivered = std::max(best->delivered, s.delivered.value);
    best->days_locked = std::min(best->days_locked, s.days_locked.value);
  }
  return best;
}

class Judge {
 public:
  Judge(const Summary& ours, const Rivals& rivals) : ours_(ours), rivals_(rivals) {}

  std::vector<Bar> bars() {
    if (ours_.cell.workload == Workload::w5) {
      at_most("W5: delivered per day", ours_.delivered, 2);
      at_most("W5: permanent bans", ours_.permanent, 0);
      return std::move(bars_);
    }
    if (ours_.cell.strictness == 1) return normal();
    at_most("permanent bans", ours_.permanent, 0.10);
    const double share = ours_.cell.strictness < 1 ? 1.0 : 0.9;
    at_least("delivered per day", ours_.delivered, rivals_.delivered * share);
    return std::move(bars_);
  }

 private:
  std::vector<Bar> normal() {
    at_least("delivered per day", ours_.delivered, rivals_.delivered * 0.99);
    at_most("days locked", ours_.days_locked,
            rivals_.days_locked > 1 ? rivals_.days_locked / 3 : 0.5);
    at_most("permanent bans", ours_.permanent, 0.05);
    const double out = ours_.to_opted_out;
    at_most("messages to opted-out people", {out, out, out}, 0);
    if (ours_.cell.workload == Workload::w4)
      at_most("reply latency p95, s", {ours_.p95[0], ours_.p95[0], ours_.p95[0]}, 5);
    return std::move(bars_);
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
    if (!rivals) continue;
    const std::vector<Bar> bars = Judge(ours, *rivals).bars();
    out.insert(out.end(), bars.begin(), bars.end());
  }
  return out;
}

}  // namespace posthorn::evaluation
