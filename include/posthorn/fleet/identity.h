#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

namespace posthorn::fleet {

/// 16 hex digits from /etc/machine-id: not the id itself, which others use too.
[[nodiscard]] std::string box_id_of(std::string_view machine_id);

/// A request for a client certificate (PKCS#10, PEM): CN = box, signed with the key (PEM).
/// Errors: malformed (key, box), crypto.
[[nodiscard]] Result<std::string> make_request(Random& random, const std::string& key_pem,
                                               const std::string& box);

struct CertificateFacts {
  std::string box;         ///< its CN
  std::int64_t from = 0;   ///< unix seconds
  std::int64_t until = 0;  ///< unix seconds

  /// Two thirds of its life are over.
  [[nodiscard]] bool due(std::int64_t now) const { return now >= until - (until - from) / 3; }
};
/// The first certificate of a PEM text. Errors: malformed (none, or its CN is none of a topic).
[[nodiscard]] Result<CertificateFacts> read_certificate(const std::string& pem);

/// Where this box's key and certificates are, from outside: files in the box.
class Identity {
 public:
  virtual ~Identity() = default;

  /// What we connect with. Errors: not_found (not enrolled), malformed.
  [[nodiscard]] virtual Result<CertificateFacts> current() = 0;
  /// A new key, kept beside the one in use; gives the request for its certificate. Errors: io.
  virtual Result<std::string> begin_renewal() = 0;
  /// The certificate for that key, to be tried with the next connection.
  /// Errors: refused (not for that key, another CN, over already), malformed, io.
  virtual Result<void> try_certificate(const std::string& pem, std::int64_t now) = 0;
  /// The next connections use the new pair, if there is one.
  [[nodiscard]] virtual bool on_trial() const = 0;
  /// The broker took the new one: the old one goes. Errors: io.
  virtual Result<void> settle() = 0;
  /// The broker did not: back to the old one.
  virtual void give_up_trial() = 0;
};

}  // namespace posthorn::fleet
