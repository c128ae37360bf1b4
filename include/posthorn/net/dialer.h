#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "posthorn/base/proxy.h"
#include "posthorn/base/random.h"
#include "posthorn/base/stream.h"
#include "posthorn/loop/loop.h"

namespace posthorn::net {

/// The real Dialer: name lookup, TCP (each address in turn), TLS by mbedTLS.
class NetDialer final : public Dialer {
 public:
  /// clock_plausible: false while the system clock is before our build time; a certificate that is
  /// "not yet valid" is then accepted when everything else about it is right (chapter 04 section
  /// 9). proxy: everything but loopback goes through it.
  NetDialer(loop::Loop& loop, Worker& worker, Random& random, std::function<bool()> clock_plausible,
            std::optional<Proxy> proxy = std::nullopt);

  [[nodiscard]] std::unique_ptr<Dial> dial(
      const Endpoint& endpoint, Once<void(Result<std::unique_ptr<Stream>>)> done) override;

 private:
  loop::Loop& loop_;
  Worker& worker_;
  Random& random_;
  std::function<bool()> clock_plausible_;
  std::optional<Proxy> proxy_;
};

}  // namespace posthorn::net
