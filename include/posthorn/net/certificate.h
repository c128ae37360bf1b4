#pragma once

#include <string>
#include <vector>

#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::net {

/// A certificate with its key, both PEM.
struct CertifiedKey {
  std::string key;
  std::string certificate;
};

/// What an authority of the box's own says.
struct AuthorityWish {
  std::string subject;  ///< "Posthorn 3f9a2c"
  /// All that it may speak for: DNS names with what is below them ("local"), and networks
  /// ("10.0.0.0/8"). Clients hold it to that (RFC 5280 section 4.2.1.10); not marked critical,
  /// since small TLS libraries refuse what they do not know.
  std::vector<std::string> names;
  std::vector<std::string> networks;
  Wall from;
  Wall until;
};

/// What a server certificate says.
struct CertificateWish {
  std::vector<std::string> names;      ///< DNS names, the first is the subject; at least one
  std::vector<std::string> addresses;  ///< numeric IPv4 and IPv6
  Wall from;
  Wall until;
};

/// A new ECDSA P-256 key as PEM (SEC 1).
[[nodiscard]] Result<std::string> make_p256_key(Random& random);

/// A certificate for that key, signed by it, as PEM: X.509 v3, SHA-256, an authority for server
/// certificates directly below it (RFC 5280). Errors: malformed (key, name, network), crypto.
[[nodiscard]] Result<std::string> make_authority(Random& random, const std::string& key_pem,
                                                 const AuthorityWish& wish);

/// A certificate for the server's key, signed by the authority, as PEM: not a CA, for servers only.
/// Errors: malformed (key, authority, name, address), crypto.
[[nodiscard]] Result<std::string> make_certificate(Random& random, const CertifiedKey& authority,
                                                   const std::string& key_pem,
                                                   const CertificateWish& wish);

/// Whether both can be read, and the key is the certificate's (the first's, of several).
[[nodiscard]] bool belong_together(const std::string& certificate_pem, const std::string& key_pem);

}  // namespace posthorn::net
