#pragma once

#include <string>
#include <vector>

#include "bars.h"
#include "grid.h"

namespace posthorn::evaluation {

/// What must stand beside every number of this program (section 18).
[[nodiscard]] std::string_view limits_of_this();
[[nodiscard]] std::string print_table(const std::vector<Summary>& summaries);
[[nodiscard]] std::string print_bars(const std::vector<Bar>& bars);
[[nodiscard]] std::string print_csv(const std::vector<Summary>& summaries);
/// One panel per cell: delivered a day as bars, the chance of a permanent ban beside them.
[[nodiscard]] std::string draw_svg(const std::vector<Summary>& summaries);

}  // namespace posthorn::evaluation
