#pragma once

#include <string>
#include <vector>

#include "posthorn/api/server.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/net/certificate.h"

namespace posthorn::daemon {

/// How tills call the box: what its certificate must name.
struct CalledAs {
  std::vector<std::string> names;
  std::vector<std::string> addresses;

  bool operator==(const CalledAs&) const = default;
};

/// What the box made for itself, as it is kept: an authority, which tills trust and which stays for
/// the box's life, and the server's certificate, which the authority signs and which is renewed.
struct BoxCertificate {
  net::CertifiedKey authority;
  CalledAs may_name;     ///< beyond ".local" and private networks, what the authority may speak for
  api::TlsIdentity pem;  ///< the server's certificate, followed by the authority's
  CalledAs called;
  Wall from;
  Wall until;
};

/// Why a new certificate is due; "" while the old one serves. The clock's trust does not matter:
/// see box_certificate.cpp.
[[nodiscard]] std::string why_renew(const BoxCertificate& old, const CalledAs& called, Wall now);

/// Loads the kept certificate, or makes one and keeps it: with the key and by the authority that
/// were there, so that a till that trusts either goes on. A new authority (of the old key) is made
/// only when the box gets a name or address that the old one may not speak for.
/// Errors: io, crypto.
[[nodiscard]] Result<BoxCertificate> load_certificate(BlobStore& blobs, Random& random,
                                                      const CalledAs& called, Wall now);

/// "posthorn.local" and what else the host is called.
[[nodiscard]] std::vector<std::string> own_names();

/// listen: the address that is served; for all of them ("0.0.0.0", "::") the box's IPv4 addresses
/// and its own IPv6 networks' (ULA). Addresses that the provider's IPv6 prefix gives change with
/// it, in some places each night: there tills use the name.
/// Names: own_names().
[[nodiscard]] CalledAs called_as(const std::string& listen);

/// Keeps what load_certificate() then finds. Errors: io.
Result<void> save_certificate(BlobStore& blobs, const BoxCertificate& certificate);

}  // namespace posthorn::daemon
