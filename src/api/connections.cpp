#include "api/connections.h"

#include <algorithm>
#include <utility>

namespace posthorn::api {

namespace {

constexpr std::size_t kTillsRemembered = 64;
/// Whoever has just come may still be speaking: a pool that opens many at once loses none of them.
constexpr milliseconds kGrace{2000};

}  // namespace

bool Connections::knows(const std::string& address, Mono now) const {
  const auto found = tills_.find(address);
  return found != tills_.end() && now - found->second < limits_.remembered;
}

void Connections::remember(const std::string& address, Mono now) {
  tills_[address] = now;
  if (tills_.size() <= kTillsRemembered) return;
  tills_.erase(std::min_element(tills_.begin(), tills_.end(),
                                [](const auto& a, const auto& b) { return a.second < b.second; }));
}

Connections::Held Connections::held_by(const std::string& address) const {
  const auto found = held_.find(address);
  return found != held_.end() ? found->second : Held{};
}

template <class Eligible>
std::optional<Connections::Id> Connections::least_busy(Mono now, Eligible eligible) const {
  std::optional<Id> best;
  const One* best_one = nullptr;
  for (const auto& [id, one] : open_) {
    const bool resting = one.state == State::resting;
    const bool silent = one.state == State::fresh && now - one.since >= kGrace;
    if (!(resting || silent) || !eligible(one)) continue;
    if (best_one == nullptr || one.since < best_one->since) {
      best = id;
      best_one = &one;
    }
  }
  return best;
}

std::string Connections::greediest_stranger() const {
  const auto most = std::max_element(held_.begin(), held_.end(), [](const auto& a, const auto& b) {
    return a.second.strangers < b.second.strangers;
  });
  return most != held_.end() ? most->first : "";
}

Connections::Admission Connections::open(const std::string& address, Mono now) {
  const bool till = knows(address, now);
  const Held held = held_by(address);
  Admission out;
  if (till && held.tills + held.strangers >= limits_.till_each) {
    out.evict = least_busy(now, [&](const One& one) { return one.address == address; });
    if (!out.evict) return {};
  } else if (!till && held.strangers >= limits_.stranger_each) {
    out.evict =
        least_busy(now, [&](const One& one) { return !one.till && one.address == address; });
    if (!out.evict) return {};
  } else if (!till && strangers_ >= limits_.strangers) {
    const std::string greedy = greediest_stranger();
    out.evict = least_busy(now, [&](const One& one) { return !one.till && one.address == greedy; });
    // All have just come: the oldest of the address that holds most has had the most time.
    for (auto it = open_.begin(); !out.evict && it != open_.end(); ++it) {
      const One& one = it->second;
      if (!one.till && one.address == greedy && one.state != State::ours) out.evict = it->first;
    }
    if (!out.evict) return {};
  } else if (open_.size() >= limits_.all) {
    out.evict = least_busy(now, [&](const One& one) { return till || !one.till; });
    if (!out.evict) return {};
  }
  if (out.evict) on_closed(*out.evict);
  out.id = next_++;
  open_.emplace(*out.id, One{address, State::fresh, till, now});
  Held& place = held_[address];
  ++(till ? place.tills : place.strangers);
  if (!till) ++strangers_;
  return out;
}

void Connections::on_head(Id id, Mono now) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  found->second.state = State::head;
  found->second.since = now;
}

void Connections::on_trusted(Id id, Mono now) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  One& one = found->second;
  remember(one.address, now);
  if (std::exchange(one.till, true)) return;
  Held& held = held_[one.address];
  --held.strangers;
  ++held.tills;
  --strangers_;
}

void Connections::on_whole(Id id) {
  const auto found = open_.find(id);
  if (found != open_.end()) found->second.state = State::ours;
}

void Connections::on_answered(Id id, Mono now) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  found->second.state = State::resting;
  found->second.since = now;
}

void Connections::on_closed(Id id) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  const auto held = held_.find(found->second.address);
  if (found->second.till) {
    --held->second.tills;
  } else {
    --held->second.strangers;
    --strangers_;
  }
  if (held->second.tills + held->second.strangers == 0) held_.erase(held);
  open_.erase(found);
}

std::vector<Connections::Id> Connections::overdue(Mono now) const {
  std::vector<Id> out;
  for (const auto& [id, one] : open_) {
    // A till's idle connection is libmicrohttpd's to close, after a longer time.
    const bool may_wait = one.state == State::ours || (one.state == State::resting && one.till);
    if (!may_wait && now - one.since >= limits_.unfinished) out.push_back(id);
  }
  return out;
}

}  // namespace posthorn::api
