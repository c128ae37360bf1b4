#pragma once

#include <string>

#include "api/context.h"
#include "api/page/files.h"
#include "api/page/login.h"
#include "api/page/plain.h"

namespace posthorn::api {

/// What people reach with a browser: the page's files, who is logged in, and /plain. What the page
/// does it does through the same methods as every other client.
///
///     GET    /session    loggedIn, passwordSet, passwordFixed, firstPasswordSeconds; logged in
///     also
///                        idInstance and version
///     POST   /session    {"password"}: logs in
///     DELETE /session    logs out
///     GET    /sessions   who is logged in
///     DELETE /sessions   ?id= one of them, or all others
///     POST   /password   {"password"} sets the first one, {"current", "password"} another one
class PageSide {
 public:
  struct Outside {
    Context& context;
    const Credentials& credentials;
    WrongTokens& wrong;
    PageSessions& sessions;
  };
  PageSide(Outside outside, const Page& page);

  [[nodiscard]] bool takes(const Request& request) const;
  void handle(Request request, Reply reply);
  void on_button() { login_.on_button(); }

 private:
  void refuse(const Request& request, Reply& reply, int status, std::string_view message) const;
  void session(const Request& request, Reply reply);
  void sessions(const Request& request, Reply reply);
  void password(const Request& request, Reply reply);
  void send_session(Reply& reply, const std::string& cookie, bool in) const;

  Outside outside_;
  PageFiles files_;
  PagePassword password_;
  Login login_;
  PlainPage plain_;
};

}  // namespace posthorn::api
