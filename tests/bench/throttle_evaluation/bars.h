#pragma once

#include <string>
#include <vector>

#include "grid.h"

namespace posthorn::evaluation {

/// One bar of section 16 in one cell.
struct Bar {
  Cell cell;
  std::string what;
  double reached = 0, wanted = 0;
  Estimate interval;
  bool at_least = true;  ///< else at most
  bool passed = false;
  std::string note;  ///< what a missed bar must be read with
};
/// Needs posthorn and at least one baseline in a cell; cells without are left out.
[[nodiscard]] std::vector<Bar> judge(const std::vector<Summary>& summaries);

}  // namespace posthorn::evaluation
