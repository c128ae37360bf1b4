#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "posthorn/api/http.h"
#include "posthorn/base/result.h"
#include "posthorn/loop/loop.h"

namespace posthorn::api {

struct ServerOptions {
  std::string listen = "0.0.0.0";  ///< numeric IPv4 or IPv6
  std::uint16_t port = 8080;       ///< 0: any free one
  unsigned connections = 128;      ///< more are refused
  seconds idle{75};                ///< a silent connection is closed
};

/// libmicrohttpd on our loop, without threads: its epoll descriptor is watched, its timeouts are a
/// timer, a request that is answered later is suspended meanwhile.
class Server {
 public:
  virtual ~Server() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

/// handler outlives the server. Replies that are still open when the server goes are answered into
/// nothing. Errors: malformed (address), refused (in use, not allowed).
[[nodiscard]] Result<std::unique_ptr<Server>> serve(loop::Loop& loop, const ServerOptions& options,
                                                    RequestHandler& handler);

}  // namespace posthorn::api
