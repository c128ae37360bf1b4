#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace posthorn::store {

/// Many 64-bit hashes in 8 bytes each (a std::unordered_set takes 40), to add to and to look into.
class KeySet {
 public:
  void insert(std::uint64_t key) {
    latest_.push_back(key);
    if (latest_.size() >= kLatest) merge();
  }
  [[nodiscard]] bool contains(std::uint64_t key) const {
    return std::find(latest_.begin(), latest_.end(), key) != latest_.end() ||
           std::binary_search(sorted_.begin(), sorted_.end(), key);
  }
  void clear() {
    sorted_.clear();
    latest_.clear();
  }

 private:
  static constexpr std::size_t kLatest = 256;

  void merge() {
    std::sort(latest_.begin(), latest_.end());
    const auto middle = static_cast<std::ptrdiff_t>(sorted_.size());
    sorted_.insert(sorted_.end(), latest_.begin(), latest_.end());
    std::inplace_merge(sorted_.begin(), sorted_.begin() + middle, sorted_.end());
    latest_.clear();
  }

  std::vector<std::uint64_t> sorted_;
  std::vector<std::uint64_t> latest_;  ///< in the order they came
};

}  // namespace posthorn::store
