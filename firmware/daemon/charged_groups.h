#pragma once

#include <string>
#include <vector>

#include "posthorn/chat/groups.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// Groups as the API uses them: what costs standing is charged to the throttle's budgets first
/// (policy section 9): new groups, and members, who must be people the shop knows.
class ChargedGroups final : public chat::Groups {
 public:
  ChargedGroups(chat::Groups& groups, throttle::Valve& valve) : groups_(groups), valve_(valve) {}

  void create(const std::string& name, std::vector<std::string> members,
              Once<void(Result<chat::CreatedGroup>)> done) override;
  void show(const std::string& chat, Once<void(Result<chat::GroupData>)> done) override {
    groups_.show(chat, std::move(done));
  }
  void rename(const std::string& chat, const std::string& name,
              Once<void(Result<chat::GroupChange>)> done) override {
    groups_.rename(chat, name, std::move(done));
  }
  void change_member(const std::string& chat, MemberChange change, const std::string& member,
                     Once<void(Result<chat::GroupChange>)> done) override;
  void change_settings(const std::string& chat, Settings settings,
                       Once<void(Result<chat::GroupChange>)> done) override {
    groups_.change_settings(chat, settings, std::move(done));
  }
  void set_picture(const std::string& chat, Bytes jpeg,
                   Once<void(Result<chat::GroupChange>)> done) override {
    groups_.set_picture(chat, std::move(jpeg), std::move(done));
  }
  void leave(const std::string& chat, Once<void(Result<chat::GroupChange>)> done) override {
    groups_.leave(chat, std::move(done));
  }

 private:
  chat::Groups& groups_;
  throttle::Valve& valve_;
};

}  // namespace posthorn::daemon
