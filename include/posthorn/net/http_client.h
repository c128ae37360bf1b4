#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/loop/loop.h"

namespace posthorn::net {

/// A request's body that is made while it is sent. Called on the loop.
class HttpSource {
 public:
  virtual ~HttpSource() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// wake: to be called, in a later turn, when read() has something after it had nothing.
  virtual void on_ready(std::function<void()> wake) = 0;
  /// Fills `out`; 0: nothing yet. An error ends the request with it.
  virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
};

/// Takes the body of a 2xx answer as it comes. Called on the loop.
class HttpSink {
 public:
  virtual ~HttpSink() = default;

  /// wake: to be called, in a later turn, when there is room again after write() said no.
  virtual void on_room(std::function<void()> wake) = 0;
  /// How much will come, before the first of it, when the server says so. An error ends the request
  /// with it.
  virtual Result<void> on_length(std::uint64_t /*bytes*/) { return {}; }
  /// Takes all of it. false: nothing more before there is room. An error ends the request with it.
  virtual Result<bool> write(ByteView piece) = 0;
};

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
  std::shared_ptr<HttpSource> source = {};  ///< instead of `body`; shared: requests are copied
  std::shared_ptr<HttpSink> sink = {};      ///< instead of the answer's body when it is 2xx
  std::string proxy = {};                   ///< "http://[user:password@]host:port"; empty: straight
  bool any_certificate = false;             ///< nobody is believed; for stand-ins on this machine
  /// On a connection of its own. On a kept one that dies, libcurl sends the request once more by
  /// itself, which must not happen where the other side may have taken it.
  bool never_twice = false;
  /// Refuses addresses of the box itself and of private networks, at every redirect.
  bool public_only = false;
};

struct HttpResponse {
  int status = 0;
  std::string body = {};
  std::string content_type = {};  ///< as the server said it; may be empty
  seconds retry_after{0};         ///< 0: it did not say
};

/// Asks somebody else's HTTP server.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// done runs in a later turn: an answer with whatever status, or an error: malformed (URL),
  /// not_found (name), refused, timeout, crypto (certificate), disconnected, unsupported (libcurl
  /// cannot be loaded), or what the source or the sink said.
  virtual void send(HttpRequest request, Once<void(Result<HttpResponse>)> done) = 0;
};

/// libcurl's multi interface on our loop; connections are kept and used again. Dropping it answers
/// what is open with Errc::cancelled.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(loop::Loop& loop);

}  // namespace posthorn::net
