#include "queue/index.h"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace posthorn::queue {

namespace {

/// A slot has 48 bits for a time, counted from so many milliseconds before 1970.
constexpr std::int64_t kBefore1970 = std::int64_t{1} << 47;

bool before(Place a, Place b) {
  return std::tie(a.position, a.offset) < std::tie(b.position, b.offset);
}

}  // namespace

Entry Index::Slot::entry() const {
  return {sequence,
          length,
          {worth, static_cast<Owner>(owner)},
          Wall{milliseconds(static_cast<std::int64_t>(accepted) - kBefore1970), clock_trusted}};
}

Index::Slot Index::make_slot(const RecordHeader& header, Place place) {
  Slot slot;
  slot.sequence = header.sequence;
  // Times that no clock shows come from damage only; the year 6429 is as good as any other.
  const std::int64_t at = std::clamp(header.accepted_ms, -kBefore1970, kBefore1970 - 1);
  slot.accepted = static_cast<std::uint64_t>(at + kBefore1970) & ((1ULL << 48) - 1);
  slot.owner = header.label.owner & 0xFFFFU;
  slot.position = place.position & ((1ULL << 40) - 1);
  slot.offset = place.offset & ((1U << 24) - 1);
  slot.length = header.length;
  slot.worth = header.label.worth;
  slot.clock_trusted = header.clock_trusted;
  slot.moved = header.type == RecordType::moved;
  return slot;
}

Index::Slots::iterator Index::lower_bound(Sequence sequence) {
  return std::lower_bound(slots_.begin(), slots_.end(), sequence,
                          [](const Slot& slot, Sequence value) { return slot.sequence < value; });
}

Index::Slots::const_iterator Index::lower_bound(Sequence sequence) const {
  return std::lower_bound(slots_.begin(), slots_.end(), sequence,
                          [](const Slot& slot, Sequence value) { return slot.sequence < value; });
}

void Index::add(const Slot& slot) {
  assert(slots_.empty() || slots_.back().sequence < slot.sequence);
  slots_.push_back(slot);
  count(slot);
  if (slot.moved) moves_.push_back({slot.sequence, slot.place()});
}

void Index::sort_moves() {
  std::sort(moves_.begin(), moves_.end(),
            [](const Move& a, const Move& b) { return before(a.place, b.place); });
}

bool Index::erase(Sequence sequence) {
  const auto at = lower_bound(sequence);
  if (at == slots_.end() || at->sequence != sequence || at->dead) return false;
  at->dead = true;
  uncount(*at);
  drop_dead();
  return true;
}

void Index::count(const Slot& slot) {
  ++live_;
  bytes_ += record_bytes(slot.length);
  if (slot.worth == Worth::expendable) ++expendable_;
  if (slot.owner != 0) owned_[static_cast<Owner>(slot.owner)] += record_bytes(slot.length);
}

void Index::uncount(const Slot& slot) {
  --live_;
  bytes_ -= record_bytes(slot.length);
  if (slot.worth == Worth::expendable) --expendable_;
  const auto held = owned_.find(static_cast<Owner>(slot.owner));
  if (held == owned_.end()) return;
  held->second -= record_bytes(slot.length);
  if (held->second == 0) owned_.erase(held);
}

void Index::drop_dead() {
  while (!slots_.empty() && slots_.front().dead) slots_.pop_front();
  while (!slots_.empty() && slots_.back().dead) slots_.pop_back();
  // Behind one entry that waits for a day the dead ones would pile up; sweeping when they are the
  // majority costs a constant per erase.
  if (slots_.size() > 64 && slots_.size() > 2 * live_) {
    std::erase_if(slots_, [](const Slot& slot) { return slot.dead; });
    slots_.shrink_to_fit();
  }
}

void Index::move(Sequence sequence, Place place) {
  const auto at = lower_bound(sequence);
  if (at == slots_.end() || at->sequence != sequence || at->dead) return;
  at->position = place.position & ((1ULL << 40) - 1);
  at->offset = place.offset & ((1U << 24) - 1);
  at->moved = true;
  moves_.push_back({sequence, place});
}

const Index::Slot* Index::find(Sequence sequence) const {
  const auto at = lower_bound(sequence);
  if (at == slots_.end() || at->sequence != sequence || at->dead) return nullptr;
  return &*at;
}

const Index::Slot* Index::after(Sequence sequence) const {
  for (auto at = lower_bound(sequence + 1); at != slots_.end(); ++at) {
    if (!at->dead) return &*at;
  }
  return nullptr;
}

const Index::Slot* Index::last() const { return slots_.empty() ? nullptr : &slots_.back(); }

const Index::Slot* Index::first_expendable() const {
  if (expendable_ == 0) return nullptr;
  const auto at = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return !slot.dead && slot.worth == Worth::expendable;
  });
  return &*at;
}

const Index::Slot* Index::first_of(Owner owner) const {
  if (!owned_.contains(owner)) return nullptr;
  const auto at = std::find_if(slots_.begin(), slots_.end(), [owner](const Slot& slot) {
    return !slot.dead && slot.owner == owner;
  });
  return at == slots_.end() ? nullptr : &*at;
}

std::uint64_t Index::bytes_of(Owner owner) const {
  const auto held = owned_.find(owner);
  return held == owned_.end() ? 0 : held->second;
}

std::pair<Owner, std::uint64_t> Index::largest_owner() const {
  const auto most =
      std::max_element(owned_.begin(), owned_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == owned_.end()) return {0, 0};
  return *most;
}

const Index::Slot* Index::first_unmoved(Place from) {
  auto at = lower_bound(unmoved_from_);
  while (at != slots_.end() && (at->dead || at->moved)) ++at;
  unmoved_from_ = at == slots_.end() ? unmoved_from_ : at->sequence;
  while (at != slots_.end() && (at->dead || at->moved || before(at->place(), from))) ++at;
  return at == slots_.end() ? nullptr : &*at;
}

const Index::Slot* Index::first_moved(Place from) {
  const auto current = [this](const Move& move) {
    const Slot* slot = find(move.sequence);
    return slot != nullptr && slot->place() == move.place ? slot : nullptr;
  };
  while (!moves_.empty() && current(moves_.front()) == nullptr) moves_.pop_front();
  auto at = std::lower_bound(moves_.begin(), moves_.end(), from, [](const Move& move, Place place) {
    return before(move.place, place);
  });
  for (; at != moves_.end(); ++at) {
    if (const Slot* slot = current(*at)) return slot;
  }
  return nullptr;
}

const Index::Slot* Index::at_or_behind(Place from) {
  const Slot* unmoved = first_unmoved(from);
  const Slot* moved = first_moved(from);
  if (unmoved == nullptr || moved == nullptr) return unmoved == nullptr ? moved : unmoved;
  return before(moved->place(), unmoved->place()) ? moved : unmoved;
}

std::uint64_t Index::tail(std::uint64_t head) {
  const Slot* oldest = at_or_behind({});
  return oldest == nullptr ? head : std::uint64_t{oldest->position};
}

}  // namespace posthorn::queue
