#include "api/page/login.h"

#include "api/errors.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

Login::Login(Outside outside)
    : outside_(outside), first_until_(outside.scheduler.now() + kFirstPassword) {}

seconds Login::first_password_for() const {
  const Mono now = outside_.scheduler.now();
  if (outside_.password.is_set() || now >= first_until_) return seconds(0);
  return std::chrono::ceil<seconds>(first_until_ - now);
}

void Login::refuse(const Request& request, Reply reply, int status,
                   std::string_view message) const {
  reply.send(error_response(status, message, request.path, outside_.clock.now()));
}

std::optional<Reply> Login::begin(const Request& request, Reply reply) {
  if (trying_.contains(request.peer) || trying_.size() >= kTries) {
    refuse(request, std::move(reply), 429,
           "a password is being tried already; wait for its answer, then try again");
    return std::nullopt;
  }
  trying_.insert(request.peer);
  return Reply([self = alive_.weak(), peer = request.peer,
                reply = std::move(reply)](Response response) mutable {
    // Also after the pause of a wrong one.
    if (Login* me = self.get()) me->trying_.erase(peer);
    reply.send(std::move(response));
  });
}

void Login::try_password(const Request& request, Reply reply, std::string given, Response refusal,
                         Granted granted) {
  auto mine = begin(request, std::move(reply));
  if (!mine) return;
  const bool care = outside_.credentials.of_secret(given) == Right::care;
  outside_.password.check(std::move(given), [this, self = alive_.weak(), care, request,
                                             reply = std::move(*mine), refusal = std::move(refusal),
                                             granted = std::move(granted)](bool right) mutable {
    if (self.get() == nullptr) return reply.send(std::move(refusal));
    if (!right && !care) {
      return outside_.wrong.refuse(request.peer, std::move(reply), refusal, refusal);
    }
    outside_.wrong.on_right(request.peer);
    granted(std::move(reply), outside_.sessions.open(request, outside_.clock.now()));
  });
}

void Login::set_first(const Request& request, Reply reply, std::string wanted, Granted granted) {
  if (outside_.password.is_set()) {
    return refuse(request, std::move(reply), 409, "the box has a password already; log in with it");
  }
  if (first_password_for() == seconds(0)) {
    return refuse(request, std::move(reply), 403,
                  "the first password is set within 30 minutes after the start of the box: press "
                  "its button, or pull its plug and put it in again, then set it");
  }
  keep(request, std::move(reply), std::move(wanted), std::move(granted));
}

void Login::change(const Request& request, Reply reply, std::string current, std::string wanted,
                   Granted granted) {
  if (outside_.credentials.of_header(request) == Right::care) {
    return keep(request, std::move(reply), std::move(wanted), std::move(granted));
  }
  auto mine = begin(request, std::move(reply));
  if (!mine) return;
  outside_.password.check(std::move(current), [this, self = alive_.weak(), request,
                                               reply = std::move(*mine), wanted = std::move(wanted),
                                               granted = std::move(granted)](bool right) mutable {
    if (self.get() == nullptr) return;
    if (right) {
      return keep(request, std::move(reply), std::move(wanted), std::move(granted));
    }
    const Response refusal = error_response(403, "the present password is another one",
                                            request.path, outside_.clock.now());
    outside_.wrong.refuse(request.peer, std::move(reply), refusal, refusal);
  });
}

void Login::keep(const Request& request, Reply reply, std::string wanted, Granted granted) {
  // Of two who set the first one at once the second must not take the first one's place.
  if (std::exchange(keeping_, true)) {
    return refuse(request, std::move(reply), 409, "a password is being set already");
  }
  outside_.password.set(
      std::move(wanted), [this, self = alive_.weak(), request, reply = std::move(reply),
                          granted = std::move(granted)](Result<void> stored) mutable {
        if (self.get() == nullptr) return;
        keeping_ = false;
        if (!stored) {
          const bool fixed = stored.error().code == Errc::refused;
          const HttpError http = to_http(stored.error());
          return refuse(request, std::move(reply), fixed ? 409 : http.status,
                        fixed ? stored.error().detail : http.message);
        }
        log::warn("api", "the page's password was set", {{"from", request.peer}});
        outside_.sessions.close_all();
        granted(std::move(reply), outside_.sessions.open(request, outside_.clock.now()));
      });
}

}  // namespace posthorn::api
