#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/function.h"
#include "posthorn/base/proxy.h"
#include "posthorn/base/random.h"
#include "posthorn/base/stream.h"
#include "posthorn/loop/loop.h"

namespace posthorn::net {

/// The real Dialer: name lookup, TCP (each address in turn), TLS by mbedTLS.
class NetDialer final : public Dialer {
 public:
  /// Of a name, with the port, in the order in which they are tried.
  using Addresses = std::vector<sockaddr_storage>;
  /// done runs once, in a later turn, or is dropped when the loop ends before. Errors: not_found,
  /// disconnected (the lookup failed otherwise).
  using Lookup = std::function<void(const std::string& host, std::uint16_t port,
                                    Function<void(Result<Addresses>)> done)>;

  /// While there are more addresses, one that does not answer is waited for so long, and for a
  /// third of the endpoint's time-out at most.
  static constexpr milliseconds kPatience{4'000};

  /// clock_plausible: false while the system clock is before our build time; a certificate that is
  /// "not yet valid" is then accepted when everything else about it is right (chapter 04 section
  /// 9). proxy: everything but loopback goes through it. lookup: the system's resolver when it is
  /// empty.
  NetDialer(loop::Loop& loop, Worker& worker, Random& random, std::function<bool()> clock_plausible,
            std::optional<Proxy> proxy = std::nullopt, Lookup lookup = {});

  [[nodiscard]] std::unique_ptr<Dial> dial(
      const Endpoint& endpoint, Once<void(Result<std::unique_ptr<Stream>>)> done) override;

 private:
  loop::Loop& loop_;
  Worker& worker_;
  Random& random_;
  std::function<bool()> clock_plausible_;
  std::optional<Proxy> proxy_;
  Lookup lookup_;
};

}  // namespace posthorn::net
