#pragma once

#include <string>

#include "posthorn/base/json.h"

namespace posthorn::json {

/// As write(), in ASCII: "\u00e4" and surrogate pairs for what is not, "/" as it is. Whoever parses
/// it and writes it again to check a signature gets the same bytes. What is no UTF-8 reads as other
/// characters.
[[nodiscard]] std::string write_ascii(const Value& value);

}  // namespace posthorn::json
