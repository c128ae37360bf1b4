#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "queue/layout.h"

namespace posthorn::queue {

/// Where a record is: the batch's logical block, and bytes from there.
struct Place {
  std::uint64_t position = 0;
  std::uint32_t offset = 0;

  bool operator==(const Place&) const = default;
};

/// What pending entries there are and where, in 32 bytes each and in order of sequence. Payloads
/// stay on disk.
class Index {
 public:
  struct Slot {
    Sequence sequence = 0;
    std::uint64_t accepted : 48 = 0;  ///< accepted_at, see make_slot()
    std::uint64_t owner : 16 = 0;     ///< 0 .. kMaxOwner
    std::uint64_t position : 40 = 0;
    std::uint64_t offset : 24 = 0;
    std::uint32_t length = 0;
    Worth worth = Worth::normal;
    bool clock_trusted = false;
    bool moved = false;  ///< not in the place where it was first written
    bool dead = false;   ///< done; the slot goes when its neighbours do

    [[nodiscard]] Place place() const { return {position, static_cast<std::uint32_t>(offset)}; }
    [[nodiscard]] Entry entry() const;
  };
  static_assert(sizeof(Slot) == 32);

  [[nodiscard]] static Slot make_slot(const RecordHeader& header, Place place);

  /// Sequences come in rising order.
  void add(const Slot& slot);
  /// After add() was given moved entries, which come in the order of sequence: needed before any
  /// question about places.
  void sort_moves();
  /// Returns false when it was not pending.
  bool erase(Sequence sequence);
  /// The entry now is at `place`, which is behind all others.
  void move(Sequence sequence, Place place);

  /// Pending ones only; nullptr: none. The pointer ends with the next change.
  [[nodiscard]] const Slot* find(Sequence sequence) const;
  [[nodiscard]] const Slot* after(Sequence sequence) const;
  [[nodiscard]] const Slot* first() const { return after(0); }
  [[nodiscard]] const Slot* last() const;
  [[nodiscard]] const Slot* first_expendable() const;
  [[nodiscard]] const Slot* first_of(Owner owner) const;

  /// What the pending records of one owner take, with their headers; nothing is kept of owner 0.
  [[nodiscard]] std::uint64_t bytes_of(Owner owner) const;
  /// Whoever holds most, with what that is; {0, 0}: nobody holds anything.
  [[nodiscard]] std::pair<Owner, std::uint64_t> largest_owner() const;

  /// The next entry in the order of places: of those from `from` on, the first. For tidying.
  [[nodiscard]] const Slot* at_or_behind(Place from);
  /// First logical block that a pending entry needs, `head` when there are none.
  [[nodiscard]] std::uint64_t tail(std::uint64_t head);

  [[nodiscard]] std::uint64_t size() const { return live_; }
  /// What the pending records take, with their headers.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  using Slots = std::deque<Slot>;
  [[nodiscard]] Slots::iterator lower_bound(Sequence sequence);
  [[nodiscard]] Slots::const_iterator lower_bound(Sequence sequence) const;
  void drop_dead();
  void count(const Slot& slot);
  void uncount(const Slot& slot);
  [[nodiscard]] const Slot* first_unmoved(Place from);
  [[nodiscard]] const Slot* first_moved(Place from);

  Slots slots_;
  std::uint64_t live_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t expendable_ = 0;
  std::unordered_map<Owner, std::uint64_t> owned_;
  /// Every slot below is moved or dead, so the search for the first unmoved one need not start
  /// over.
  Sequence unmoved_from_ = 0;
  /// Moves in the order they were made; an entry whose place is no longer this one has gone on.
  struct Move {
    Sequence sequence;
    Place place;
  };
  std::deque<Move> moves_;
};

}  // namespace posthorn::queue
