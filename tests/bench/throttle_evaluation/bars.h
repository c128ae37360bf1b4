#pragma once

#include <string>
#include <vector>

#include "grid.h"

namespace posthorn::evaluation {

/// One bar in one cell.
struct Bar {
  Cell cell;
  std::string what;
  double reached = 0, wanted = 0;
  Estimate interval;
  bool at_least = true;  ///< else at most
  bool passed = false;
  std::string note;  ///< what a missed bar must be read with
};
/// Section 16 in the cells of the policy's own workloads that have a baseline; everywhere: not
/// behind `simple` where nobody is banned for it, and what a shop may rely on.
[[nodiscard]] std::vector<Bar> judge(const std::vector<Summary>& summaries);

}  // namespace posthorn::evaluation
