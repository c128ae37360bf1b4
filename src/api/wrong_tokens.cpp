#include "api/wrong_tokens.h"

#include <algorithm>

#include "posthorn/base/log.h"

namespace posthorn::api {

milliseconds WrongTokens::next_hold(const std::string& peer) {
  const Mono now = scheduler_.now();
  std::erase_if(peers_, [now](const auto& entry) { return now - entry.second.last > kForget; });
  // An attacker with many addresses only fills the table; everybody unknown then waits longest.
  if (!peers_.contains(peer) && peers_.size() >= kPeers) return kLongestHold;
  Peer& entry = peers_[peer];
  const milliseconds hold = std::min(kFirstHold * (1U << std::min(entry.wrong, 8U)), kLongestHold);
  if (entry.wrong == 0) log::warn("api", "wrong token", {{"from", peer}});
  ++entry.wrong;
  entry.last = now;
  return hold;
}

void WrongTokens::refuse(const std::string& peer, Reply reply, Response refusal,
                         Response overload) {
  const milliseconds hold = next_hold(peer);
  if (held_.size() >= kHeld) {
    reply.send(std::move(overload));
    return;
  }
  held_.emplace_back(scheduler_, std::move(reply), std::move(refusal));
  const auto here = std::prev(held_.end());
  here->timer.start(hold, [this, here] {
    Held due(scheduler_, std::move(here->reply), std::move(here->refusal));
    held_.erase(here);
    due.reply.send(std::move(due.refusal));
  });
}

void WrongTokens::on_right(const std::string& peer) {
  if (!peers_.empty()) peers_.erase(peer);
}

void WrongTokens::stop() {
  for (Held& held : held_) held.reply.send(std::move(held.refusal));
  held_.clear();
}

}  // namespace posthorn::api
