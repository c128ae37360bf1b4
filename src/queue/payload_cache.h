#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "posthorn/base/bytes.h"
#include "posthorn/queue/ring_file.h"

namespace posthorn::queue {

/// Payloads that need not be read from the disk. Holds at most `capacity` bytes of them; the ones
/// added first leave first, and one that alone takes a quarter is not kept.
class PayloadCache {
 public:
  explicit PayloadCache(std::size_t capacity) : capacity_(capacity) {}

  void add(Sequence sequence, Bytes payload);
  void drop(Sequence sequence);
  void clear();
  /// nullptr: not here. The pointer ends with the next change.
  [[nodiscard]] const Bytes* find(Sequence sequence) const;

 private:
  std::size_t capacity_;
  std::deque<std::pair<Sequence, Bytes>> payloads_;
  std::size_t bytes_ = 0;
};

}  // namespace posthorn::queue
