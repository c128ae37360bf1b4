#include "throttle/regulars.h"

#include <algorithm>
#include <cstring>

namespace posthorn::throttle {
namespace {

constexpr std::uint32_t kNone = 0xffffffffU;
constexpr std::uint64_t kNumberBits = (1ULL << 61) - 1;
/// Ticks do not begin before 2020 (policy_clock.cpp): 16 bits of days last until 2189.
constexpr std::int64_t kFirstDay = 18'262;
/// How many are looked at for the oldest when somebody must go.
constexpr std::uint32_t kLookedAt = 64;

}  // namespace

std::uint16_t to_day(Tick at) {
  return at <= 0 ? std::uint16_t{0}
                 : static_cast<std::uint16_t>(
                       std::clamp<std::int64_t>(at / kDay - kFirstDay, 1, 0xffff));
}

Tick from_day(std::uint16_t day) { return day == 0 ? 0 : (kFirstDay + day) * kDay; }

std::uint16_t Regular::newest() const { return std::max({in_day, out_day, joined_day}); }

std::uint64_t Regulars::id_of(const ChatKey& key) {
  const bool fits = key.extra == 0 && key.number <= kNumberBits;
  const std::uint64_t number = fits ? key.number : hash_of(key) & kNumberBits;
  return (static_cast<std::uint64_t>(key.kind) << 61) | number;
}

const Regular* Regulars::find(const ChatKey& key) const {
  const std::uint32_t slot = index_.find(id_of(key));
  return slot == kNone ? nullptr : &at(slot);
}

std::uint32_t Regulars::place_for(std::uint16_t newest) {
  if (size_ < kMaxRegulars) {
    if (size_ == pages_.size() * kPerPage) {
      pages_.push_back(std::make_unique<Page>());
      dirty_.push_back(true);
    }
    return static_cast<std::uint32_t>(size_++);
  }
  std::uint32_t oldest = kNone;
  for (std::uint32_t i = 0; i < kLookedAt; ++i) {
    hand_ = (hand_ + 1) % static_cast<std::uint32_t>(kMaxRegulars);
    if (oldest == kNone || at(hand_).newest() < at(oldest).newest()) oldest = hand_;
  }
  if (at(oldest).newest() > newest) return kNone;
  index_.erase(at(oldest).id);
  return oldest;
}

bool Regulars::learn(const ChatKey& key, Regular facts) {
  facts.id = id_of(key);
  std::uint32_t slot = index_.find(facts.id);
  if (slot == kNone) {
    slot = place_for(facts.newest());
    if (slot == kNone) return false;
    at(slot) = facts;
    index_.insert(slot);
    dirty_[slot / kPerPage] = true;
    return true;
  }
  Regular known = at(slot);
  const bool seen = (facts.flags & Regular::wrote) != 0 && (facts.flags & Regular::listed) == 0;
  // The run is counted from the last message of theirs: whoever knows the later one knows it.
  if (facts.in_day > known.in_day) {
    known.run = facts.run;
  } else if (facts.in_day == known.in_day) {
    known.run = std::max(known.run, facts.run);
  }
  known.in_day = std::max(known.in_day, facts.in_day);
  known.out_day = std::max(known.out_day, facts.out_day);
  if (known.joined_day == 0 || (facts.joined_day != 0 && facts.joined_day < known.joined_day))
    known.joined_day = facts.joined_day;
  const bool was_wrote = (known.flags & Regular::wrote) != 0;
  const bool was_listed = (known.flags & Regular::listed) != 0;
  const bool only_listed = !seen && (was_listed || !was_wrote) && (facts.flags & Regular::listed);
  const bool wrote = was_wrote || (facts.flags & Regular::wrote) != 0;
  const bool listed = only_listed || (was_listed && !seen);
  known.flags =
      static_cast<std::uint8_t>((wrote ? Regular::wrote : 0) | (listed ? Regular::listed : 0));
  const bool changed = std::memcmp(&known, &at(slot), sizeof known) != 0;
  at(slot) = known;
  if (changed) dirty_[slot / kPerPage] = true;
  return true;
}

void Regulars::forget(const ChatKey& key) {
  const std::uint32_t slot = index_.find(id_of(key));
  if (slot == kNone) return;
  index_.erase(at(slot).id);
  const auto last = static_cast<std::uint32_t>(size_ - 1);
  if (slot != last) {
    index_.erase(at(last).id);
    at(slot) = at(last);
    index_.insert(slot);
  }
  at(last) = Regular{};
  dirty_[slot / kPerPage] = dirty_[last / kPerPage] = true;
  --size_;
}

void Regulars::load(const Regular& regular) {
  if (regular.id == 0 || size_ >= kMaxRegulars || index_.find(regular.id) != kNone) return;
  const std::uint32_t slot = place_for(0);
  at(slot) = regular;
  index_.insert(slot);
  dirty_[slot / kPerPage] = true;
}

std::size_t Regulars::memory_bytes() const {
  return pages_.size() * (sizeof(Page) + sizeof(void*)) + index_.memory_bytes();
}

void Regulars::clear() {
  // Pages that were saved must be written empty: a page that is missing ends the loading.
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    *pages_[page] = Page{};
    dirty_[page] = true;
  }
  size_ = 0;
  hand_ = 0;
  index_.clear();
}

}  // namespace posthorn::throttle
