#pragma once

#include <string>
#include <utility>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::daemon {

/// Name (at most 99 bytes) and content.
using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// A .tar.gz of them (POSIX ustar, mode 0644). Errors: malformed (name too long), io (zlib).
[[nodiscard]] Result<std::string> make_tar_gz(const NamedTexts& files, Wall modified);

}  // namespace posthorn::daemon
