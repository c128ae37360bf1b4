#pragma once

#include <map>
#include <string>
#include <vector>

#include "meter.h"

namespace posthorn::bench {

struct Row {
  std::string name;
  std::map<int, Sample> by_posters;
};

[[nodiscard]] std::string to_markdown(const std::vector<Row>& rows);
/// Two bar charts side by side: bytes at the device per message, and messages per second.
[[nodiscard]] std::string to_svg(const std::vector<Row>& rows);

}  // namespace posthorn::bench
