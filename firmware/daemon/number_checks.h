#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "posthorn/chat/chat.h"
#include "posthorn/chat/people.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// Whether a number or a LID is on WhatsApp and the account in a group, asked by the throttle
/// before a first contact. The throttle charges these questions itself.
class FirstContactCheck final : public throttle::NumberChecker {
 public:
  explicit FirstContactCheck(chat::Chat& chat) : chat_(chat) {}

  void on_whatsapp(const std::string& chat, Once<void(Result<bool>)> done) override;
  void member_since(const std::string& group,
                    Once<void(Result<std::optional<Wall>>)> done) override {
    chat_.member_since(group, std::move(done));
  }

 private:
  chat::Chat& chat_;
};

/// People as the API asks for them: questions about numbers are charged to the throttle's budget
/// for look-ups (policy section 9), since batches of them got accounts banned.
class ChargedPeople final : public chat::People {
 public:
  ChargedPeople(chat::People& people, throttle::Valve& valve) : people_(people), valve_(valve) {}

  /// Errors beside chat's: busy, when the hour's look-ups are used up.
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<chat::NumberStatus>>)> done) override;

 private:
  chat::People& people_;
  throttle::Valve& valve_;
};

}  // namespace posthorn::daemon
