#pragma once

#include <optional>
#include <set>
#include <string>

#include "api/credentials.h"
#include "api/page/password.h"
#include "api/page/sessions.h"
#include "api/wrong_tokens.h"
#include "posthorn/api/http.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/json.h"

namespace posthorn::api {

/// Who comes in at the page: passwords are tried slowly, and one at a time from each address.
class Login {
 public:
  /// From the start on, and after a press of the button, whoever is there first sets the password.
  static constexpr minutes kFirstPassword{30};
  /// Addresses whose try is being worked on.
  static constexpr std::size_t kTries = 8;

  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    const Credentials& credentials;
    WrongTokens& wrong;
    PageSessions& sessions;
    PagePassword& password;
  };
  explicit Login(Outside outside);

  /// What a try ends with when it was right; gets the Set-Cookie of a new session.
  using Granted = Function<void(Reply reply, std::string cookie)>;
  /// The page's password, or the careToken, which is the technician's. A wrong one is answered
  /// with `refusal`, held back longer each time.
  void try_password(const Request& request, Reply reply, std::string given, Response refusal,
                    Granted granted);
  /// The first password of a box that has none; refused with words.
  void set_first(const Request& request, Reply reply, std::string wanted, Granted granted);
  /// Every session ends; whoever changed it gets a new one. Without a careToken `current` is asked.
  void change(const Request& request, Reply reply, std::string current, std::string wanted,
              Granted granted);

  /// How long a first password may still be set; 0: not, or there is one.
  [[nodiscard]] seconds first_password_for() const;
  void on_button() { first_until_ = outside_.scheduler.now() + kFirstPassword; }

 private:
  void refuse(const Request& request, Reply reply, int status, std::string_view message) const;
  /// The try ends when what comes back is answered. nullopt: refused, because that address has a
  /// try under way, or too many have.
  [[nodiscard]] std::optional<Reply> begin(const Request& request, Reply reply);
  void keep(const Request& request, Reply reply, std::string wanted, Granted granted);

  Outside outside_;
  Mono first_until_;
  std::set<std::string> trying_;
  bool keeping_ = false;  ///< a password is being stored
  Alive<Login> alive_{this};
};

}  // namespace posthorn::api
