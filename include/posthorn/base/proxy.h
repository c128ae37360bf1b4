#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn {

/// An HTTP proxy that lets connections through (CONNECT, RFC 9110 section 9.3.6).
struct Proxy {
  std::string host;
  std::uint16_t port = 3128;
  std::string user;  ///< empty: no Proxy-Authorization
  std::string password;

  bool operator==(const Proxy&) const = default;
};

/// "http://[user:password@]host[:port]"; user and password percent-encoded where they hold : @ or
/// /. Errors: malformed, with what is allowed; the text of the error never has the password.
[[nodiscard]] Result<Proxy> parse_proxy(std::string_view url);

/// The request to the proxy for a connection to host:port.
[[nodiscard]] std::string build_connect(const Proxy& proxy, std::string_view host,
                                        std::uint16_t port);
/// What came back so far. True: let through; what follows is the other end's. False: more must
/// come. Errors: refused (the proxy said no, with its status), malformed (no HTTP, or over 8 KiB).
[[nodiscard]] Result<bool> parse_connect_answer(std::string_view so_far);

}  // namespace posthorn
