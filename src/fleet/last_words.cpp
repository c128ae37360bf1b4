#include "fleet/last_words.h"

#include <vector>

namespace posthorn::fleet {

void LastWords::say(const std::string& topic, const std::string& payload) {
  const auto at = words_.find(topic);
  if (at == words_.end() ? payload.empty() : at->second == payload) return;
  words_[topic] = payload;
  publish(topic);
}

void LastWords::say_all() {
  std::vector<std::string> topics;
  for (const auto& [topic, payload] : words_) topics.push_back(topic);
  for (const std::string& topic : topics) publish(topic);
}

void LastWords::publish(const std::string& topic) {
  Publication publication;
  publication.topic = topic;
  publication.payload = words_[topic];
  publication.retain = true;
  const bool clears = publication.payload.empty();
  outlet_.publish(publication, [this, topic, clears](Outlet::Fate fate) {
    const auto at = words_.find(topic);
    const bool gone = clears && fate == Outlet::Fate::acknowledged;
    if (gone && at != words_.end() && at->second.empty()) words_.erase(at);
  });
}

}  // namespace posthorn::fleet
