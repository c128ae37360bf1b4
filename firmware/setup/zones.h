#pragma once

#include <optional>
#include <string>

namespace posthorn::setup {

/// The name of a time zone as the system writes it, "europe/berlin" -> "Europe/Berlin"; nullopt: it
/// has none of that name. folder: "/usr/share/zoneinfo".
[[nodiscard]] std::optional<std::string> find_zone(const std::string& folder,
                                                   const std::string& name);

}  // namespace posthorn::setup
