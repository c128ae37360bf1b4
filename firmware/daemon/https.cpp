#include "daemon/https.h"

#include <algorithm>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

constexpr minutes kLookEvery{1};
/// A TLS session costs some 40 KB. One till may have a pool of 40 (it gets six tenths of these).
constexpr unsigned kConnectionsAtMost = 160;

}  // namespace

Result<std::unique_ptr<Https>> Https::start(Outside outside, api::ServerOptions options) {
  options.connections = std::min(options.connections, kConnectionsAtMost);
  std::unique_ptr<Https> https(new Https(outside, std::move(options)));
  const CalledAs called = https->called();
  TRY(https->certificate_,
      load_certificate(outside.blobs, outside.random, called, outside.clock.now()));
  const api::TlsIdentity& kept = https->certificate_.pem;
  if (!net::belong_together(kept.certificate, kept.key)) {
    log::error("https", "the kept certificate is damaged; another one is made");
    BoxCertificate rest = https->certificate_;
    rest.pem = {};
    TRY(save_certificate(outside.blobs, rest));
    TRY(https->certificate_,
        load_certificate(outside.blobs, outside.random, called, outside.clock.now()));
  }
  // A port that is taken may become free; meanwhile tills have HTTP.
  if (const auto served = https->serve(); !served) {
    log::error("https", "not available", {{"error", served.error()}});
  }
  return https;
}

CalledAs Https::called() const {
  CalledAs out = called_as(options_.listen);
  out.names.insert(out.names.end(), outside_.names.begin(), outside_.names.end());
  return out;
}

Result<void> Https::serve() {
  options_.tls = certificate_.pem;
  timer_.start(kLookEvery, [this] { look(); });
  server_.reset();  // the port must be free again
  TRY(server_, api::serve(outside_.loop, options_, outside_.handler));
  options_.port = server_->port();
  return {};
}

void Https::look() {
  timer_.start(kLookEvery, [this] { look(); });
  auto current = load_certificate(outside_.blobs, outside_.random, called(), outside_.clock.now());
  if (!current) {
    log::warn("https", "the certificate cannot be renewed", {{"error", current.error()}});
    return;
  }
  if (listening() && current->pem.certificate == certificate_.pem.certificate) return;
  certificate_ = std::move(*current);
  if (const auto served = serve(); !served) {
    log::error("https", "cannot listen again", {{"error", served.error()}});
  }
}

}  // namespace posthorn::daemon
