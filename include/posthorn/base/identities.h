#pragma once

#include <functional>
#include <string>

namespace posthorn {

/// One person, one name. WhatsApp knows an account by its phone number and by a LID, and a till may
/// know it by a third: the number as it is printed (Brazil with or without the ninth digit, Mexico
/// 52 or 521, Argentina 54 or 549), which WhatsApp's own answer to a number check leads to the
/// account. Whatever is kept about a person is kept under the name that this gives; the till is
/// answered with the name that it used.
class Identities {
 public:
  virtual ~Identities() = default;

  /// The account's own number as a chatId where it is known, else "…@lid"; groups, and what nobody
  /// knows more of, as given. chat: a Green-API chatId.
  [[nodiscard]] virtual std::string account_of(const std::string& chat) = 0;

  /// Called when two names have turned out to be one person's: from now on account_of(from) is
  /// `into`. May be told again. Runs inside whatever learned it: keep it short.
  using Joined = std::function<void(const std::string& from, const std::string& into)>;
  virtual void on_joined(Joined joined) = 0;
};

}  // namespace posthorn
