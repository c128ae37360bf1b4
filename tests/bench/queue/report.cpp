#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace posthorn::bench {

namespace {

template <class... A>
std::string format(const char* pattern, A... values) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// Bars on a logarithmic scale: the rivals are powers of ten apart.
std::string chart(const std::vector<Row>& rows, double left, const char* title, double low,
                  double high, double (*value)(const Row&), const char* unit) {
  constexpr double kWidth = 190, kTop = 64, kStep = 34, kLabel = 150;
  std::string out = format("<text x=\"%.0f\" y=\"40\" class=\"title\">%s</text>\n", left, title);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = kTop + kStep * static_cast<double>(i);
    const double v = value(rows[i]);
    const double share = std::log(std::max(v, low) / low) / std::log(high / low);
    const double width = std::max(2.0, kWidth * share);
    const bool ours = rows[i].name.rfind("Posthorn", 0) == 0;
    out += format("<text x=\"%.0f\" y=\"%.0f\" class=\"name\">%s</text>\n", left, y + 15,
                  rows[i].name.c_str());
    out += format("<rect x=\"%.0f\" y=\"%.0f\" width=\"%.1f\" height=\"20\" class=\"%s\"/>\n",
                  left + kLabel, y, width, ours ? "ours" : "theirs");
    out += format("<text x=\"%.1f\" y=\"%.0f\" class=\"value\">%.0f %s</text>\n",
                  left + kLabel + width + 6, y + 15, v, unit);
  }
  return out;
}

}  // namespace

std::string to_markdown(const std::vector<Row>& rows) {
  std::string out =
      "| store | posters | messages/s | p50 ms | p99 ms | bytes/message at the device | "
      "flushes/message |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const Row& row : rows) {
    for (const auto& [posters, s] : row.by_posters) {
      out += format("| %s | %d | %.0f | %.3f | %.3f | %.0f | %.3f |\n", row.name.c_str(), posters,
                    s.messages_per_second, s.p50_ms, s.p99_ms, s.device_bytes, s.syncs);
    }
  }
  return out;
}

std::string to_svg(const std::vector<Row>& rows) {
  const double height = 90 + 34 * static_cast<double>(rows.size());
  std::string out = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1260 %.0f\" "
      "font-family=\"sans-serif\">\n"
      "<style>.title{font-size:16px;font-weight:bold;fill:#222}.name,.value{font-size:12px;fill:#"
      "333}"
      ".ours{fill:#0a7d4f}.theirs{fill:#9aa5b1}</style>\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
      height);
  out += chart(
      rows, 10, "Bytes written to the device per message", 500, 100000,
      [](const Row& row) { return row.by_posters.at(1).device_bytes; }, "B");
  out += chart(
      rows, 430, "Messages/s, one poster", 10, 100000,
      [](const Row& row) { return row.by_posters.at(1).messages_per_second; }, "/s");
  out += chart(
      rows, 850, "Messages/s, 64 posters", 10, 100000,
      [](const Row& row) { return row.by_posters.at(64).messages_per_second; }, "/s");
  out += format(
      "<text x=\"10\" y=\"%.0f\" class=\"name\">512-byte messages, accepted (durable) then "
      "done; ext4; logarithmic bars</text>\n</svg>\n",
      height - 10);
  return out;
}

}  // namespace posthorn::bench
