#pragma once

#include <string>

#include "posthorn/base/json.h"

namespace posthorn::test {

/// A file of the source tree, for tests that read one: "board/rpi-4.toml".
[[nodiscard]] std::string source_path(const std::string& name);

/// tests/vectors/NAME, parsed; a missing or broken file fails the test.
[[nodiscard]] json::Value load_vectors(const std::string& name);

}  // namespace posthorn::test
