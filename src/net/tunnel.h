#pragma once

#include <string>

#include "posthorn/base/once.h"
#include "posthorn/base/proxy.h"
#include "posthorn/base/stream.h"

namespace posthorn::net {

/// Asks an HTTP proxy, over an open connection to it, to be let through to host:port.
class Tunnel final : public Stream::Handler {
 public:
  /// `stream` outlives the tunnel. done runs inside a callback of the stream, so whoever drops the
  /// stream does it in a later turn. After success the stream takes a new handler.
  Tunnel(Stream& stream, const Proxy& proxy, const std::string& host, std::uint16_t port,
         Once<void(Result<void>)> done);

 private:
  void on_data(ByteView data) override;
  void on_closed(Error why) override;

  Once<void(Result<void>)> done_;
  std::string answer_;
};

}  // namespace posthorn::net
