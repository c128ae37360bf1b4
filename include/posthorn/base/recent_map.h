#pragma once

#include <cstddef>
#include <deque>
#include <unordered_map>
#include <utility>

namespace posthorn {

/// What was put in last; beyond `capacity` entries the oldest goes.
template <class Key, class Value>
class RecentMap {
 public:
  explicit RecentMap(std::size_t capacity) : capacity_(capacity) {}

  /// Null: not there, or gone. Valid until the next put or at.
  [[nodiscard]] const Value* find(const Key& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool contains(const Key& key) const { return values_.contains(key); }

  /// The entry, made empty when it is not there. Valid until the next put or at.
  Value& at(const Key& key) {
    if (const auto found = values_.find(key); found != values_.end()) return found->second;
    if (order_.size() >= capacity_) {
      values_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(key);
    return values_[key];
  }
  void put(const Key& key, Value value) { at(key) = std::move(value); }

 private:
  std::size_t capacity_;
  std::unordered_map<Key, Value> values_;
  std::deque<Key> order_;
};

}  // namespace posthorn
