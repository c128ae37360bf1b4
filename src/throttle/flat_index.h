#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace posthorn::throttle {

/// SplitMix64's finaliser: spreads consecutive numbers over the table.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}
[[nodiscard]] inline std::uint64_t hash_of(std::uint64_t key) { return mix(key); }

/// Open addressing from a key to the number of a slot that somebody else owns: 4 bytes per place,
/// no allocation but on growth. KeyOf(slot) gives the slot's key; hash_of(key) must be found by
/// ADL.
template <class KeyOf>
class FlatIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffU;

  explicit FlatIndex(KeyOf key_of) : key_of_(key_of), places_(64, kNone) {}

  template <class Key>
  [[nodiscard]] std::uint32_t find(const Key& key) const {
    for (std::size_t at = home(key);; at = next(at)) {
      const std::uint32_t slot = places_[at];
      if (slot == kNone || key_of_(slot) == key) return slot;
    }
  }

  /// The slot's key must not be in the index yet.
  void insert(std::uint32_t slot) {
    if ((count_ + 1) * 4 > places_.size() * 3) grow();
    place(slot);
    ++count_;
  }

  template <class Key>
  void erase(const Key& key) {
    std::size_t at = home(key);
    while (places_[at] != kNone && !(key_of_(places_[at]) == key)) at = next(at);
    if (places_[at] == kNone) return;
    --count_;
    // Moves later members of the run back, so that no tombstones are needed.
    std::size_t hole = at;
    for (std::size_t from = next(at); places_[from] != kNone; from = next(from)) {
      const std::size_t wanted = home(key_of_(places_[from]));
      if (((from - wanted) & mask()) >= ((from - hole) & mask())) {
        places_[hole] = places_[from];
        hole = from;
      }
    }
    places_[hole] = kNone;
  }

  [[nodiscard]] std::size_t memory_bytes() const {
    return places_.capacity() * sizeof(std::uint32_t);
  }

  void clear() {
    places_.assign(64, kNone);
    count_ = 0;
  }

 private:
  [[nodiscard]] std::size_t mask() const { return places_.size() - 1; }
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  template <class Key>
  [[nodiscard]] std::size_t home(const Key& key) const {
    return static_cast<std::size_t>(hash_of(key)) & mask();
  }
  void place(std::uint32_t slot) {
    std::size_t at = home(key_of_(slot));
    while (places_[at] != kNone) at = next(at);
    places_[at] = slot;
  }
  void grow() {
    const std::vector<std::uint32_t> old = std::move(places_);
    places_.assign(old.size() * 2, kNone);
    for (const std::uint32_t slot : old) {
      if (slot != kNone) place(slot);
    }
  }

  KeyOf key_of_;
  std::vector<std::uint32_t> places_;
  std::size_t count_ = 0;
};

}  // namespace posthorn::throttle
