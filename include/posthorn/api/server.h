#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/api/http.h"
#include "posthorn/base/result.h"
#include "posthorn/loop/loop.h"

namespace posthorn::api {

/// PEM texts of a certificate and its private key.
struct TlsIdentity {
  std::string certificate;
  std::string key;
};

struct ServerOptions {
  std::string listen = "0.0.0.0";  ///< numeric IPv4 or IPv6
  std::uint16_t port = 8080;       ///< 0: any free one
  unsigned connections = 128;      ///< more are refused
  seconds idle{75};                ///< a silent connection is closed
  std::optional<TlsIdentity> tls;  ///< HTTPS (TLS 1.2 and 1.3) with this; nullopt: HTTP
};

/// libmicrohttpd on our loop, without threads: its epoll descriptor is watched, its timeouts are a
/// timer, a request that is answered later is suspended meanwhile.
class Server {
 public:
  virtual ~Server() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

/// handler outlives the server. Replies that are still open when the server goes are answered into
/// nothing. Errors: malformed (address), refused (in use, not allowed,
/// TLS identity unusable).
[[nodiscard]] Result<std::unique_ptr<Server>> serve(loop::Loop& loop, const ServerOptions& options,
                                                    RequestHandler& handler);

}  // namespace posthorn::api
