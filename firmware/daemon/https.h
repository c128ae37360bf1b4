#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/box_certificate.h"
#include "posthorn/api/server.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/random.h"
#include "posthorn/loop/loop.h"

namespace posthorn::daemon {

/// The HTTPS side of the API: serves the same handler, looks every minute whether the certificate
/// still fits, and changes it without a restart of the box.
class Https {
 public:
  struct Outside {
    loop::Loop& loop;
    BlobStore& blobs;
    const Clock& clock;
    Random& random;
    api::RequestHandler& handler;
    std::vector<std::string> names = {};  ///< in the certificate, beside the box's own
  };

  /// A port that is taken is told in the log and tried again each minute. Errors: io, crypto.
  [[nodiscard]] static Result<std::unique_ptr<Https>> start(Outside outside,
                                                            api::ServerOptions options);
  Https(const Https&) = delete;
  Https& operator=(const Https&) = delete;

  /// Renews the certificate when it is due, and listens again if that failed before; every minute.
  void look();

  [[nodiscard]] bool listening() const { return server_ != nullptr; }
  [[nodiscard]] std::uint16_t port() const { return options_.port; }
  /// What tills trust: the authority's certificate, PEM.
  [[nodiscard]] const std::string& certificate() const {
    return certificate_.authority.certificate;
  }
  [[nodiscard]] const BoxCertificate& served() const { return certificate_; }

 private:
  Https(Outside outside, api::ServerOptions options)
      : outside_(outside), options_(std::move(options)), timer_(outside.loop) {}
  Result<void> serve();
  [[nodiscard]] CalledAs called() const;

  Outside outside_;
  api::ServerOptions options_;
  BoxCertificate certificate_;
  std::unique_ptr<api::Server> server_;
  Timer timer_;
};

}  // namespace posthorn::daemon
