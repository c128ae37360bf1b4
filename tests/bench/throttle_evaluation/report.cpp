#include "report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace posthorn::evaluation {
namespace {

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(line, sizeof line, pattern, arguments);
  va_end(arguments);
  return line;
}

std::string name_of(const Cell& cell) {
  std::string name =
      format("%s, age %d, strictness %g", std::string(to_string(cell.workload)).c_str(),
             cell.age_days, cell.strictness);
  if (cell.start != Start::history) name += ", start: " + std::string(to_string(cell.start));
  if (cell.answers >= 0) name += format(", answers %g", cell.answers);
  if (cell.scored) name += ", scored";
  return name;
}

std::string with_interval(const Estimate& e, const char* pattern) {
  char value[32], low[32], high[32];
  std::snprintf(value, sizeof value, pattern, e.value);
  std::snprintf(low, sizeof low, pattern, e.low);
  std::snprintf(high, sizeof high, pattern, e.high);
  return format("%s [%s %s]", value, low, high);
}

std::string latency(const Summary& s, std::size_t lane) {
  if (s.p50[lane] < 0) return "-";
  return format("%.0f/%.0f", s.p50[lane], s.p95[lane]);
}

std::string panel(const std::vector<Summary>& all, const Cell& cell, int x, int y) {
  double most = 1;
  for (const Summary& s : all) {
    if (s.cell == cell) most = std::max({most, s.delivered.high, s.demand.value});
  }
  std::string out =
      format("<text x=\"%d\" y=\"%d\" class=\"h\">%s</text>\n", x, y + 12, name_of(cell).c_str());
  int row = y + 22;
  for (const Summary& s : all) {
    if (!(s.cell == cell)) continue;
    const double width = 150.0 * s.delivered.value / most;
    const bool ours = s.policy == PolicyName::posthorn;
    out += format("<text x=\"%d\" y=\"%d\">%s</text>", x, row + 9,
                  std::string(to_string(s.policy)).c_str());
    out += format("<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"9\" class=\"%s\"/>", x + 110,
                  row, width, ours ? "o" : "b");
    const double low = 150.0 * std::max(0.0, s.delivered.low) / most;
    const double high = 150.0 * s.delivered.high / most;
    out += format("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"i\"/>",
                  x + 110 + low, x + 110 + high, row + 4.5, row + 4.5);
    out += format("<text x=\"%d\" y=\"%d\">%.1f/day, ban %.2f</text>\n", x + 266, row + 9,
                  s.delivered.value, s.permanent.value);
    row += 13;
  }
  return out;
}

}  // namespace

std::string_view limits_of_this() {
  return "Limits. The thresholds, hazards and recipient behaviour are assumptions made by us; the\n"
         "absolute numbers mean nothing, only the order of policies, and whether it survives when "
         "the\n"
         "assumptions change. Real enforcement learns, looks at content, registration and device\n"
         "signals, and changes without notice; none of that is in the model. Baselines are "
         "modelled\n"
         "from their documentation and defaults, without features that users must switch on. The\n"
         "policy was tuned on this model, so its lead here is an upper bound of what it proves. "
         "Read\n"
         "the strictness sweep together with every table. No number here is a promise to a "
         "customer.\n";
}

std::string print_table(const std::vector<Summary>& summaries) {
  std::string out;
  const Cell* last = nullptr;
  for (const Summary& s : summaries) {
    if (last == nullptr || !(*last == s.cell)) {
      out += "\n" + name_of(s.cell) + format(": %.1f wanted a day\n", s.demand.value);
      out += format("  %-20s %-22s %5s  %-17s %-17s %-17s %7s %7s %6s %5s %5s %5s %5s  %s\n",
                    "policy", "delivered/day [95 %]", "share", "P(lock) [95 %]", "P(ban) [95 %]",
                    "days locked", "compl/k", "optout", "refus", "day1", "day7", "new/d", "brake",
                    "p50/p95 s: reply known first");
      last = &s.cell;
    }
    out += format(
        "  %-20s %-22s %5.2f  %-17s %-17s %-17s %7.2f %7.0f %6.1f %5.1f %5.1f %5.1f %5.2f  %s  %s  "
        "%s\n",
        std::string(to_string(s.policy)).c_str(), with_interval(s.delivered, "%.1f").c_str(),
        s.delivered.value / s.demand.value, with_interval(s.any_lock, "%.2f").c_str(),
        with_interval(s.permanent, "%.2f").c_str(), with_interval(s.days_locked, "%.1f").c_str(),
        s.complaints.value, s.to_opted_out, s.refused.value, s.first_day.value, s.seventh_day.value,
        s.openings.value, s.braked.value, latency(s, 0).c_str(), latency(s, 1).c_str(),
        latency(s, 2).c_str());
    if (s.policy == PolicyName::routed)
      out += format("  %-20s %.1f a day by the official number, %s a day\n", "", s.official.value,
                    with_interval(s.cost, "%.2f").c_str());
  }
  return out;
}

std::string print_bars(const std::vector<Bar>& bars) {
  std::string out = "\nBars (section 16), against the best baseline of the cell\n";
  std::size_t passed = 0;
  for (const Bar& bar : bars) {
    passed += bar.passed ? 1 : 0;
    const double off = bar.at_least ? bar.wanted - bar.reached : bar.reached - bar.wanted;
    out +=
        format("  %s  %-32s %-30s %-24s %s %-8.2f", bar.passed ? "pass" : "FAIL",
               name_of(bar.cell).c_str(), bar.what.c_str(),
               with_interval(bar.interval, "%.2f").c_str(), bar.at_least ? ">=" : "<=", bar.wanted);
    if (!bar.passed) out += format(" off by %.2f", off);
    if (!bar.note.empty()) out += " (" + bar.note + ")";
    out += "\n";
  }
  out += format("%zu of %zu bars reached\n", passed, bars.size());
  return out;
}

std::string print_csv(const std::vector<Summary>& summaries) {
  std::string out =
      "workload,age_days,strictness,start,answers,scored,policy,demand,delivered,delivered_low,"
      "delivered_high,p_lock,"
      "p_lock_low,p_lock_high,p_ban,p_ban_low,p_ban_high,days_locked,days_locked_low,"
      "days_locked_high,complaints_per_1000,to_opted_out,refused,first_day,seventh_day,openings,"
      "braked,reply_p50,reply_p95,known_p50,"
      "known_p95,first_p50,first_p95,official,cost\n";
  for (const Summary& s : summaries) {
    out += format(
        "%s,%d,%g,%s,%g,%d,%s,%.3f,%.3f,%.3f,%.3f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.3f,%.3f,%.3f,%."
        "3f,"
        "%.0f,%.3f,",
        std::string(to_string(s.cell.workload)).c_str(), s.cell.age_days, s.cell.strictness,
        std::string(to_string(s.cell.start)).c_str(), s.cell.answers, s.cell.scored ? 1 : 0,
        std::string(to_string(s.policy)).c_str(), s.demand.value, s.delivered.value,
        s.delivered.low, s.delivered.high, s.any_lock.value, s.any_lock.low, s.any_lock.high,
        s.permanent.value, s.permanent.low, s.permanent.high, s.days_locked.value,
        s.days_locked.low, s.days_locked.high, s.complaints.value, s.to_opted_out, s.refused.value);
    out += format("%.2f,%.2f,%.3f,%.4f,", s.first_day.value, s.seventh_day.value, s.openings.value,
                  s.braked.value);
    out += format("%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.3f,%.3f\n", s.p50[0], s.p95[0], s.p50[1],
                  s.p95[1], s.p50[2], s.p95[2], s.official.value, s.cost.value);
  }
  return out;
}

std::string draw_svg(const std::vector<Summary>& summaries) {
  std::vector<Cell> cells;
  std::size_t rows = 1;
  std::size_t row = 0;
  for (const Summary& s : summaries) {
    if (cells.empty() || !(cells.back() == s.cell)) {
      cells.push_back(s.cell);
      row = 0;
    }
    rows = std::max(rows, ++row);
  }
  const int height = 34 + static_cast<int>(rows) * 13;
  const int lines = (static_cast<int>(cells.size()) + 1) / 2;
  std::string out = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"840\" height=\"%d\" "
      "font-family=\"sans-serif\" "
      "font-size=\"9\">\n<style>.h{font-weight:bold;font-size:11px}.b{fill:#b8c4d0}.o{fill:#2a7}"
      ".i{stroke:#333}</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
      lines * height + 40);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const int at = static_cast<int>(i);
    out += panel(summaries, cells[i], 10 + at % 2 * 420, 10 + at / 2 * height);
  }
  out += format(
      "<text x=\"10\" y=\"%d\">A model made by us: only the order of policies means something. "
      "Delivered a day with 95 %% interval; ban: share of accounts banned for good in the "
      "simulation.</text>\n</svg>\n",
      lines * height + 30);
  return out;
}

}  // namespace posthorn::evaluation
