#include "queue/payload_cache.h"

#include <algorithm>

namespace posthorn::queue {

void PayloadCache::add(Sequence sequence, Bytes payload) {
  if (payload.size() > capacity_ / 4) return;
  bytes_ += payload.size();
  payloads_.emplace_back(sequence, std::move(payload));
  while (bytes_ > capacity_) {
    bytes_ -= payloads_.front().second.size();
    payloads_.pop_front();
  }
}

void PayloadCache::drop(Sequence sequence) {
  const auto found = std::find_if(payloads_.begin(), payloads_.end(),
                                  [&](const auto& one) { return one.first == sequence; });
  if (found == payloads_.end()) return;
  bytes_ -= found->second.size();
  payloads_.erase(found);
}

void PayloadCache::clear() {
  payloads_.clear();
  bytes_ = 0;
}

const Bytes* PayloadCache::find(Sequence sequence) const {
  const auto found = std::find_if(payloads_.begin(), payloads_.end(),
                                  [&](const auto& one) { return one.first == sequence; });
  return found == payloads_.end() ? nullptr : &found->second;
}

}  // namespace posthorn::queue
