#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/loop/loop.h"

namespace posthorn::net {

struct HttpRequest {
  std::string method = "GET";
  std::string url;  ///< http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                    ///< sent with Content-Length, never chunked; GET: none
  milliseconds timeout{30'000};        ///< the whole exchange
  std::size_t response_limit = 65536;  ///< what comes beyond is not kept
  int redirects = 0;                   ///< followed at most
  std::string ca_file;                 ///< PEM of trusted roots; empty: the system's
  std::string ca_pem;                  ///< the same as text; counts before ca_file
  std::string pinned_public_key;       ///< "sha256//…": then any chain is accepted; empty: none
};

struct HttpResponse {
  int status = 0;
  std::string body;
};

/// Asks somebody else's HTTP server.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// done runs in a later turn: an answer with whatever status, or an error: malformed (URL),
  /// not_found (name), refused, timeout, crypto (certificate), disconnected, unsupported (libcurl
  /// cannot be loaded).
  virtual void send(HttpRequest request, Once<void(Result<HttpResponse>)> done) = 0;
};

/// libcurl's multi interface on our loop; connections are kept and used again. Dropping it answers
/// what is open with Errc::cancelled.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(loop::Loop& loop);

}  // namespace posthorn::net
