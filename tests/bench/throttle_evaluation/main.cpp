// Compares pace policies in a pretend WhatsApp (throttle policy sections 15 to 18).

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "bars.h"
#include "grid.h"
#include "report.h"

namespace {

using namespace posthorn::evaluation;

/// Those of the first `count` values of an enum whose names were given; all without names.
template <class E>
std::vector<E> named(const std::vector<std::string>& names, std::size_t count) {
  std::vector<E> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<E>(i);
    const bool wanted =
        names.empty() || std::any_of(names.begin(), names.end(),
                                     [&](const auto& n) { return to_string(value) == n; });
    if (wanted) out.push_back(value);
  }
  return out;
}

bool write_file(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  std::ofstream file(path, std::ios::binary);
  file << text;
  return static_cast<bool>(file);
}

}  // namespace

int main(int argc, char** argv) {
  GridOptions options;
  std::vector<std::string> policies, workloads, starts, sets;
  std::string csv, svg;
  Axes axes;
  bool scored = false;
  CLI::App app{"Pace policies against a pretend WhatsApp. A model: see the limits it prints."};
  app.add_option(
      "--policy", policies,
      "none, \"fixed 1 s\", Green-API, \"Green-API pause\", WAHA, \"antiban moderate\", "
      "\"antiban conservative\", simple, posthorn, \"posthorn + official\" (what our own "
      "number cannot take goes by the official one, for a price); default all but that");
  app.add_option("--workload", workloads,
                 "W1 .. W5, kiosk, walk-in, \"walk-in scan\", restaurant, season, closure; without "
                 "any of these five axes the cells of EVALUATION.md");
  app.add_option("--age", axes.ages, "account age in days at the start; default 0 and 180");
  app.add_option("--strictness", axes.strictness,
                 "factor on every hidden threshold: 0.5 is half as tolerant; default 0.5 1 2");
  app.add_option("--start", starts,
                 "what the box knows: history (default), import, declared, nothing");
  app.add_option("--answers", axes.answers, "chance that a customer answers; default the model's");
  app.add_flag("--score", scored, "enforced by points that fade instead of thresholds");
  app.add_option("--accounts", options.accounts, "per cell")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--days", options.days, "of simulated time")
      ->capture_default_str()
      ->check(CLI::Range(1, 3650));
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str()->check(CLI::Range(1, 256));
  app.add_option("--set", sets, "name=value of a model parameter; --set help=0 lists them");
  app.add_option("--csv", csv, "write the numbers here");
  app.add_option("--svg", svg, "draw them here");
  CLI11_PARSE(app, argc, argv);
  for (const std::string& assignment : sets) {
    if (const auto done = set_parameter(options.model, assignment); !done) {
      std::cerr << done.error().detail << "\n";
      return 2;
    }
  }
  options.policies = named<PolicyName>(policies, policies.empty() ? kCompared : kPolicies);
  axes.workloads = named<Workload>(workloads, kWorkloads);
  if (!starts.empty()) axes.starts = named<Start>(starts, kStarts);
  if (options.policies.empty() || axes.workloads.empty() || axes.starts.empty()) {
    std::cerr << "no such policy, workload or start\n";
    return 2;
  }
  axes.scored = {scored};
  const bool chosen = scored || app.count("--workload") + app.count("--age") +
                                        app.count("--strictness") + app.count("--start") +
                                        app.count("--answers") >
                                    0;
  options.cells = chosen ? product(axes) : standard_cells();
  const std::vector<Summary> summaries = run_grid(options);
  std::cout << options.accounts << " accounts a cell, " << options.days << " days, seed "
            << options.seed << "\n\n"
            << limits_of_this() << print_table(summaries) << print_bars(judge(summaries)) << "\n"
            << limits_of_this();
  if (!write_file(csv, print_csv(summaries)) || !write_file(svg, draw_svg(summaries))) {
    std::cerr << "cannot write the files\n";
    return 1;
  }
  return 0;
}
