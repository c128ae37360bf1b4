#include "api/target.h"

#include <algorithm>
#include <charconv>

namespace posthorn::api {

PathParts::PathParts(std::string_view path) {
  while (count_ < kMost) {
    const std::size_t start = path.find_first_not_of('/');
    if (start == std::string_view::npos) break;
    path.remove_prefix(start);
    const std::size_t end = std::min(path.find('/'), path.size());
    parts_[count_++] = path.substr(0, end);
    path.remove_prefix(end);
  }
}

InstancePart check_instance(std::string_view part, std::uint64_t id) {
  constexpr std::string_view kPrefix = "waInstance";
  if (!part.starts_with(kPrefix)) return InstancePart::absent;
  part.remove_prefix(kPrefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  if (error == std::errc::result_out_of_range) return InstancePart::other;
  if (error != std::errc() || end != part.data() + part.size()) return InstancePart::not_a_number;
  return number == id ? InstancePart::ours : InstancePart::other;
}

}  // namespace posthorn::api
