#include "api/number_cache.h"

#include <algorithm>

namespace posthorn::api {

std::optional<std::string> NumberCache::find(const std::string& phone, Mono now) const {
  const auto found = known_.find(phone);
  if (found == known_.end() || now - found->second.at > kKeep) return std::nullopt;
  return found->second.chat;
}

void NumberCache::found(const std::string& phone, const std::string& chat, Mono now) {
  if (known_.size() >= kNumbers && !known_.contains(phone)) {
    known_.erase(std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
      return a.second.at < b.second.at;
    }));
  }
  known_[phone] = {chat, now};
}

}  // namespace posthorn::api
