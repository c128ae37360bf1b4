#pragma once

#include <string>
#include <utility>
#include <vector>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::fleet {

/// How the local API is reached: access.json of the box.
struct BoxAccess {
  std::string host = "127.0.0.1";
  std::uint16_t port = 80;
  std::string id_instance;
  std::string token;       ///< the till's right
  std::string care_token;  ///< the technician's; empty: this agent has not got it
};

/// Reads access.json. Errors: malformed (no JSON, no URL on this machine, no token).
[[nodiscard]] Result<BoxAccess> parse_box_access(std::string_view text);

enum class BoxRight : std::uint8_t {
  send,  ///< the till's token
  care,  ///< the technician's
};

/// One call of the box's own API.
struct BoxRequest {
  std::string verb = "GET";
  std::string name;  ///< "sendMessage", or a page: "/healthz"
  std::string query = {};
  std::string body = {};
  std::string idempotency_key = {};
  BoxRight right = BoxRight::send;
  milliseconds timeout{40'000};
};
struct BoxAnswer {
  int status = 0;
  std::string body;
};

/// The local API, from outside. Everything on the loop thread; done runs in a later turn.
class BoxApi {
 public:
  virtual ~BoxApi() = default;

  /// done gets an answer with whatever status, or an error: refused or disconnected (the daemon is
  /// not there), timeout, malformed (no HTTP), refused (care is not ours).
  virtual void call(BoxRequest request, Once<void(Result<BoxAnswer>)> done) = 0;
  [[nodiscard]] virtual bool has_care() const = 0;
  /// The till's token was replaced; it counts from now on.
  virtual void use_token(const std::string& token) = 0;
};

}  // namespace posthorn::fleet
