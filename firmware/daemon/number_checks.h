#pragma once

#include <string>
#include <vector>

#include "posthorn/chat/people.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// Whether a number is on WhatsApp, asked by the throttle before a first contact. The throttle
/// charges these questions itself.
class FirstContactCheck final : public throttle::NumberChecker {
 public:
  explicit FirstContactCheck(chat::People& people) : people_(people) {}

  void on_whatsapp(const std::string& chat, Once<void(Result<bool>)> done) override;

 private:
  chat::People& people_;
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
