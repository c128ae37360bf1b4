#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posthorn/files/store.h"

namespace posthorn::files {

inline constexpr std::string_view kPartPrefix = "part-";

/// "0000000012-5f0c…aa.png"
[[nodiscard]] std::string name_of(const File& file);
/// nullopt: not a name of ours.
[[nodiscard]] std::optional<File> parse_name(const Disk::Entry& entry);

}  // namespace posthorn::files
