#include "daemon/charged_groups.h"

#include <utility>

namespace posthorn::daemon {

using throttle::Action;

namespace {

/// Gives back what was charged when the question never went to WhatsApp.
template <class Answer>
Once<void(Result<Answer>)> or_give_back(throttle::Valve& valve, std::vector<throttle::Cost> costs,
                                        Once<void(Result<Answer>)> done) {
  return [&valve, costs = std::move(costs), done = std::move(done)](Result<Answer> answer) mutable {
    if (!answer && answer.error().code == Errc::disconnected) {
      for (const throttle::Cost& cost : costs) valve.give_back(cost.action);
    }
    done(std::move(answer));
  };
}

}  // namespace

void ChargedGroups::create(const std::string& name, std::vector<std::string> members,
                           Once<void(Result<chat::CreatedGroup>)> done) {
  std::vector<throttle::Cost> costs{{Action::create_group, {}}};
  for (const std::string& member : members) costs.push_back({Action::add_group_member, member});
  if (auto taken = valve_.take(costs); !taken) {
    chat::CreatedGroup refused;
    refused.reason = taken.error().detail;
    return done(std::move(refused));
  }
  groups_.create(name, std::move(members), or_give_back(valve_, std::move(costs), std::move(done)));
}

void ChargedGroups::change_member(const std::string& chat, MemberChange change,
                                  const std::string& member,
                                  Once<void(Result<chat::GroupChange>)> done) {
  if (change != MemberChange::add)
    return groups_.change_member(chat, change, member, std::move(done));
  std::vector<throttle::Cost> costs{{Action::add_group_member, member}};
  if (auto taken = valve_.take(costs); !taken)
    return done(chat::GroupChange{false, taken.error().detail});
  groups_.change_member(chat, change, member,
                        or_give_back(valve_, std::move(costs), std::move(done)));
}

}  // namespace posthorn::daemon
