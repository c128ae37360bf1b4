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
  /// At most; three tenths of them from one address that has not shown a right, six tenths from one
  /// that has (connections.h).
  unsigned connections = 160;
  seconds idle{75};                ///< a till's silent connection is closed
  seconds unfinished{10};          ///< time for a handshake and for a request to come whole
  std::optional<TlsIdentity> tls;  ///< HTTPS (TLS 1.2 and 1.3) with this; nullopt: HTTP
};

/// HTTP on our loop, without threads, by libmicrohttpd: its epoll descriptor is watched, its
/// timeouts are a timer, a request that is answered later is suspended meanwhile. Memory is bounded
/// whatever the number of clients: requests and answers that wait are counted, long ones are
/// streamed.
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
