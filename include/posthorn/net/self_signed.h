#pragma once

#include <string>
#include <vector>

#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::net {

/// What a self-signed server certificate says.
struct CertificateWish {
  std::vector<std::string> names;      ///< DNS names, the first is the subject; at least one
  std::vector<std::string> addresses;  ///< numeric IPv4 and IPv6
  Wall from;
  Wall until;
};

/// A new ECDSA P-256 key as PEM (SEC 1).
[[nodiscard]] Result<std::string> make_p256_key(Random& random);

/// A certificate for that key, signed by it, as PEM: X.509 v3, SHA-256, not a CA, for servers only
/// (RFC 5280). Errors: malformed (key, name, address), crypto.
[[nodiscard]] Result<std::string> make_self_signed(Random& random, const std::string& key_pem,
                                                   const CertificateWish& wish);

/// Whether both can be read, and the key is the certificate's.
[[nodiscard]] bool belong_together(const std::string& certificate_pem, const std::string& key_pem);

}  // namespace posthorn::net
