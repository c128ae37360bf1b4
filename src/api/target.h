#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace posthorn::api {

/// A path cut at its slashes; runs of slashes and one at the end mean nothing, as clients send
/// them. What follows the last part that a method can have is left out. Views into the path.
class PathParts {
 public:
  static constexpr std::size_t kMost = 5;

  explicit PathParts(std::string_view path);

  [[nodiscard]] std::size_t size() const { return count_; }
  /// "" beyond the end.
  [[nodiscard]] std::string_view operator[](std::size_t at) const {
    return at < count_ ? parts_[at] : std::string_view();
  }

 private:
  std::array<std::string_view, kMost> parts_;
  std::size_t count_ = 0;
};

/// What stands behind "waInstance" in the first part.
enum class InstancePart : std::uint8_t { ours, other, not_a_number, absent };
[[nodiscard]] InstancePart check_instance(std::string_view part, std::uint64_t id);

}  // namespace posthorn::api
