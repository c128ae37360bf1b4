#include <gtest/gtest.h>

#include <algorithm>

#include "bars.h"
#include "grid.h"
#include "report.h"

namespace posthorn::evaluation {
namespace {

GridOptions small_grid() {
  GridOptions options;
  options.policies = {PolicyName::none, PolicyName::antiban_conservative, PolicyName::posthorn};
  options.cells =
      product({.workloads = {Workload::w1, Workload::w2}, .ages = {0}, .strictness = {1}});
  options.accounts = 4;
  options.days = 30;
  options.threads = 1;
  return options;
}

TEST(Evaluation, RepeatsExactlyAndShieldsTheNumber) {
  const std::vector<Summary> once = run_grid(small_grid());
  const std::vector<Summary> again = run_grid(small_grid());
  ASSERT_EQ(once.size(), 6U);
  for (std::size_t i = 0; i < once.size(); ++i)
    EXPECT_EQ(once[i].delivered.value, again[i].delivered.value);
  for (const Summary& s : once) {
    EXPECT_LE(s.delivered.value, s.demand.value);
    if (s.policy != PolicyName::posthorn) continue;
    EXPECT_EQ(s.to_opted_out, 0) << "the valve knows who has opted out";
    EXPECT_GT(s.delivered.value, 10);
  }
}

TEST(Evaluation, EveryParameterCanBeSetAndUnknownOnesAreListed) {
  for (const Parameter& parameter : parameters()) {
    Model model;
    ASSERT_TRUE(set_parameter(model, std::string(parameter.name) + "=0.125")) << parameter.name;
    EXPECT_EQ(model.*parameter.member, 0.125);
  }
  Model model;
  const Result<void> unknown = set_parameter(model, "luck=1");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().detail.find("trigger_slope"), std::string::npos);
  EXPECT_FALSE(set_parameter(model, "per_minute"));
  EXPECT_FALSE(set_parameter(model, "per_minute=many"));
}

TEST(Evaluation, APatientWorldLocksNobodyAndAStrictOneEverybody) {
  GridOptions options = small_grid();
  options.policies = {PolicyName::none};
  options.cells =
      product({.workloads = {Workload::w1, Workload::w2}, .ages = {0}, .strictness = {100, 0.05}});
  options.model.opening_chance = 0;
  options.model.unregistered_chance = 0;
  options.model.unregistered_chance_third = 0;
  for (const Summary& s : run_grid(options))
    EXPECT_EQ(s.any_lock.value, s.cell.strictness > 1 ? 0.0 : 1.0);
}

TEST(Evaluation, TheWorkloadsAskForWhatTheyShould) {
  const Model model;
  const auto per_day = [&model](Workload workload) {
    const Demand demand = make_demand(model, workload, 180, 28, 7);
    const auto wanted = std::count_if(demand.jobs.begin(), demand.jobs.end(),
                                      [](const Job& job) { return !job.inbound; });
    EXPECT_TRUE(std::is_sorted(demand.jobs.begin(), demand.jobs.end(),
                               [](const Job& a, const Job& b) { return a.at < b.at; }));
    return static_cast<double>(wanted) / 28;
  };
  EXPECT_EQ(per_day(Workload::w1), 80);
  EXPECT_EQ(per_day(Workload::w2), 150);
  EXPECT_NEAR(per_day(Workload::w3), 40 + 400.0 / 7, 0.01);
  EXPECT_EQ(per_day(Workload::w4), 420);
  EXPECT_EQ(per_day(Workload::w5), 300);
  EXPECT_EQ(per_day(Workload::kiosk), 140);
  EXPECT_EQ(per_day(Workload::walk_in), 195);
  EXPECT_EQ(per_day(Workload::walk_in_scan), 195);
  EXPECT_EQ(per_day(Workload::restaurant), 291);
  EXPECT_NEAR(per_day(Workload::season), 160, 1);
  EXPECT_NEAR(per_day(Workload::closure), 80.0 * 20 / 28, 0.01);
}

TEST(Evaluation, IntervalsAndBarsAreWhatTheySay) {
  const Estimate mean = mean_of({1, 2, 3, 4});
  EXPECT_DOUBLE_EQ(mean.value, 2.5);
  EXPECT_NEAR(mean.high - mean.value, 3.182 * 1.2910 / 2, 0.01);
  const Estimate none = share_of(0, 30);
  EXPECT_EQ(none.value, 0);
  EXPECT_NEAR(none.high, 0.114, 0.002);

  Summary baseline, ours;
  baseline.policy = PolicyName::none;
  baseline.delivered = {50, 50, 50};
  baseline.days_locked = {6, 6, 6};
  ours.policy = PolicyName::posthorn;
  ours.delivered = {49.6, 49, 50};
  ours.days_locked = {2.1, 2, 3};
  const std::vector<Bar> bars = judge({baseline, ours});
  ASSERT_EQ(bars.size(), 6U);
  EXPECT_TRUE(bars[0].passed) << "one per cent less is allowed";
  EXPECT_FALSE(bars[1].passed) << "more than a third of the days locked";
  Summary simple = baseline;
  simple.policy = PolicyName::simple;
  simple.delivered = {52, 52, 52};
  const auto failed = [](const std::vector<Bar>& all) {
    return std::count_if(all.begin(), all.end(), [](const Bar& bar) { return !bar.passed; });
  };
  EXPECT_EQ(failed(judge({baseline, simple, ours})), failed(bars) + 1) << "behind twenty lines";
  simple.permanent.value = 0.1;
  EXPECT_EQ(failed(judge({baseline, simple, ours})), failed(bars)) << "which lose numbers";
  EXPECT_NE(print_bars(bars).find("FAIL"), std::string::npos);
  EXPECT_NE(limits_of_this().find("assumptions"), std::string_view::npos);
  EXPECT_EQ(draw_svg({baseline, ours}).substr(0, 4), "<svg");
  EXPECT_NE(print_csv({baseline, ours}).find("W1,0,1,history,-1,0,posthorn"), std::string::npos);
}

}  // namespace
}  // namespace posthorn::evaluation
