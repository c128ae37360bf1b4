#include "daemon/charged_groups.h"

#include <utility>

namespace posthorn::daemon {

using throttle::Action;

void ChargedGroups::create(const std::string& name, std::vector<std::string> members,
                           Once<void(Result<chat::CreatedGroup>)> done) {
  chat::CreatedGroup refused;
  for (const std::string& member : members) {
    if (auto taken = valve_.take(Action::add_group_member, member); !taken) {
      refused.reason = member + ": " + taken.error().detail;
      return done(std::move(refused));
    }
  }
  if (auto taken = valve_.take(Action::create_group); !taken) {
    refused.reason = taken.error().detail;
    return done(std::move(refused));
  }
  groups_.create(name, std::move(members), std::move(done));
}

void ChargedGroups::change_member(const std::string& chat, MemberChange change,
                                  const std::string& member,
                                  Once<void(Result<chat::GroupChange>)> done) {
  if (change == MemberChange::add) {
    if (auto taken = valve_.take(Action::add_group_member, member); !taken)
      return done(chat::GroupChange{false, taken.error().detail});
  }
  groups_.change_member(chat, change, member, std::move(done));
}

}  // namespace posthorn::daemon
