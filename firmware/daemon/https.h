#pragma once

#include <memory>
#include <string>
#include <vector>

#include "posthorn/api/server.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/random.h"
#include "posthorn/loop/loop.h"

namespace posthorn::daemon {

/// The certificate that the box made for itself, as it is kept.
struct BoxCertificate {
  api::TlsIdentity pem;
  std::vector<std::string> names;
  std::vector<std::string> addresses;
  Wall from;
  Wall until;
};

/// Why a new certificate is due; "" while the old one serves.
/// names, addresses: how the box is called now. The clock's trust does not matter: see https.cpp.
[[nodiscard]] std::string why_renew(const BoxCertificate& old,
                                    const std::vector<std::string>& names,
                                    const std::vector<std::string>& addresses, Wall now);

/// Loads the kept certificate, or makes one (with the key that was there, so that a till that
/// pinned the key goes on) and keeps it. Errors: io, crypto.
[[nodiscard]] Result<BoxCertificate> load_certificate(BlobStore& blobs, Random& random,
                                                      const std::vector<std::string>& names,
                                                      const std::vector<std::string>& addresses,
                                                      Wall now);

/// "posthorn.local" and what else the host is called; addresses that others on the LAN reach.
[[nodiscard]] std::vector<std::string> own_names();
[[nodiscard]] std::vector<std::string> own_addresses();

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
  [[nodiscard]] const std::string& certificate() const { return certificate_.pem.certificate; }

 private:
  Https(Outside outside, api::ServerOptions options)
      : outside_(outside), options_(std::move(options)), timer_(outside.loop) {}
  Result<void> serve();

  Outside outside_;
  api::ServerOptions options_;
  BoxCertificate certificate_;
  std::unique_ptr<api::Server> server_;
  Timer timer_;
};

}  // namespace posthorn::daemon
