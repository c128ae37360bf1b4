// Compares pace policies in a pretend WhatsApp (throttle policy sections 15 to 18).

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "bars.h"
#include "grid.h"
#include "report.h"

namespace {

using namespace posthorn::evaluation;

/// Names as printed; "all" is the default.
std::vector<PolicyName> policies_named(const std::vector<std::string>& names) {
  std::vector<PolicyName> out;
  for (std::size_t i = 0; i < kPolicies; ++i) {
    const auto policy = static_cast<PolicyName>(i);
    const bool wanted =
        names.empty() || std::any_of(names.begin(), names.end(),
                                     [&](const auto& n) { return to_string(policy) == n; });
    if (wanted) out.push_back(policy);
  }
  return out;
}

std::vector<Workload> workloads_named(const std::vector<std::string>& names) {
  std::vector<Workload> out;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto workload = static_cast<Workload>(i);
    const bool wanted =
        names.empty() || std::any_of(names.begin(), names.end(),
                                     [&](const auto& n) { return to_string(workload) == n; });
    if (wanted) out.push_back(workload);
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
  std::vector<std::string> policies, workloads, sets;
  std::string csv, svg;
  options.ages = {0, 180};
  options.strictness = {0.5, 1, 2};
  CLI::App app{"Pace policies against a pretend WhatsApp. A model: see the limits it prints."};
  app.add_option("--policy", policies,
                 "none, \"fixed 1 s\", Green-API, \"Green-API pause\", WAHA, \"antiban moderate\", "
                 "\"antiban conservative\", posthorn; default all");
  app.add_option("--workload", workloads, "W1 .. W5; default all");
  app.add_option("--age", options.ages, "account age in days at the start; default 0 and 180");
  app.add_option("--strictness", options.strictness,
                 "factor on every hidden threshold: 0.5 is half as tolerant; default 0.5 1 2");
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
  options.policies = policies_named(policies);
  options.workloads = workloads_named(workloads);
  if (options.policies.empty() || options.workloads.empty()) {
    std::cerr << "no such policy or workload\n";
    return 2;
  }
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
