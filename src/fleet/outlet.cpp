#include "fleet/outlet.h"

#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::fleet {

std::string_view to_string(Loss loss) {
  switch (loss) {
    case Loss::unreachable:
      return "unreachable";
    case Loss::broken:
      return "broken";
    case Loss::certificate:
      return "certificate";
    case Loss::refused:
      return "refused";
    case Loss::taken_over:
      return "taken over";
  }
  return "broken";
}

bool Outlet::publish(const Publication& publication, Done done) {
  if (!connected_) return false;
  const auto id = broker_.publish(publication);
  if (!id) {
    log::warn("fleet", "not published", {{"topic", publication.topic}, {"error", id.error()}});
    return false;
  }
  if (publication.qos > 0) waiting_[*id] = std::move(done);
  return true;
}

void Outlet::on_lost() {
  connected_ = false;
  for (auto& [id, done] : std::exchange(waiting_, {})) {
    if (done) done(Fate::lost);
  }
}

void Outlet::on_acknowledged(int id, bool taken) {
  const auto at = waiting_.find(id);
  if (at == waiting_.end()) return;
  Done done = std::move(at->second);
  waiting_.erase(at);
  if (done) done(taken ? Fate::acknowledged : Fate::refused);
}

}  // namespace posthorn::fleet
