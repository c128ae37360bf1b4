#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace posthorn::api {

/// A path cut at its slashes; runs of slashes and one at the end mean nothing, as clients send
/// them. At most kParts parts, what follows is left out. Views into `path`.
constexpr std::size_t kParts = 5;
[[nodiscard]] std::vector<std::string_view> split_path(std::string_view path);

/// What stands behind "waInstance" in the first part.
enum class InstancePart : std::uint8_t { ours, other, not_a_number, absent };
[[nodiscard]] InstancePart check_instance(std::string_view part, std::uint64_t id);

}  // namespace posthorn::api
