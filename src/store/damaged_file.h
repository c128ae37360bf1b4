#pragma once

#include <string>

#include "posthorn/base/result.h"

namespace posthorn::store {

/// Renames a damaged database and its WAL to "PATH.damaged-N" (and "-wal"), N counting up; the
/// three newest are kept. Gives the new name. Errors: io.
Result<std::string> set_aside(const std::string& path);

}  // namespace posthorn::store
