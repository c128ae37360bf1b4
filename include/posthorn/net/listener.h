#pragma once

#include <functional>
#include <memory>
#include <string>

#include "posthorn/base/result.h"
#include "posthorn/base/stream.h"
#include "posthorn/loop/loop.h"

namespace posthorn::net {

/// Accepts TCP connections as Streams.
class Listener {
 public:
  virtual ~Listener() = default;

  /// The port in use, also when 0 was asked for.
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

/// address: numeric IPv4 or IPv6. Errors: malformed (address), refused (in use, not allowed).
[[nodiscard]] Result<std::unique_ptr<Listener>> listen(
    loop::Loop& loop, const std::string& address, std::uint16_t port,
    std::function<void(std::unique_ptr<Stream>)> on_connection);

}  // namespace posthorn::net
