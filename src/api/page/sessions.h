#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/api/http.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/time.h"

namespace posthorn::api {

/// Who is logged in at the page, by cookie. In memory only: a restart of the box ends them all.
///
/// A cookie is sent by the browser whoever made it ask, so it counts only together with what a
/// foreign web page cannot send: the header X-Posthorn (which needs a preflight that we do not
/// grant), and no Sec-Fetch-Site that says otherwise. For every verb, because methods of Green-API
/// such as logout are GETs.
class PageSessions {
 public:
  static constexpr hours kIdle{12};
  static constexpr hours kLongest{30 * 24};
  /// The one that has been idle longest makes room.
  static constexpr std::size_t kMost = 16;

  PageSessions(Scheduler& scheduler, Random& random, std::uint64_t id_instance);

  /// Always under a new id of 128 bits, whatever the request showed. Returns the value of
  /// Set-Cookie.
  [[nodiscard]] std::string open(const Request& request, Wall now);
  /// A call of the page's script by somebody who is logged in; counts as use.
  [[nodiscard]] bool holds(const Request& request);
  /// The same for /plain, whose forms cannot send a header: what they do needs form_token() beside.
  [[nodiscard]] bool holds_plain(const Request& request);
  /// A hidden field of every form of this session; "" without a session.
  [[nodiscard]] std::string form_token(const Request& request) const;
  /// Set-Cookie that makes a browser forget.
  [[nodiscard]] std::string forget(const Request& request) const;

  void close(const Request& request);
  void close_all() { sessions_.clear(); }
  void close_others(const Request& request);
  /// handle: as list() tells. False: there is none.
  bool close(std::string_view handle);

  struct Shown {
    std::string handle;  ///< of no use for logging in
    Wall since;
    seconds idle{0};
    std::string peer;
    bool own = false;
  };
  [[nodiscard]] std::vector<Shown> list(const Request& request);

 private:
  struct Session {
    Mono began;
    Mono used;
    Wall since;
    std::string peer;
    std::string form;
  };
  using Sessions = std::map<crypto::Sha256, Session>;  ///< by the digest of the id

  [[nodiscard]] std::string cookie_name(bool secure) const;
  [[nodiscard]] std::string cookie(const Request& request, const std::string& value,
                                   seconds life) const;
  [[nodiscard]] Sessions::const_iterator find(const Request& request) const;
  [[nodiscard]] bool use(const Request& request);
  void drop_expired();

  Scheduler& scheduler_;
  Random& random_;
  std::string name_;
  Sessions sessions_;
};

}  // namespace posthorn::api
