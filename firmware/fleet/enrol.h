#pragma once

#include <string>

#include "posthorn/base/result.h"

namespace posthorn::fleet {

struct EnrolWish {
  std::string url;   ///< https://…, of the head office
  std::string code;  ///< once, from the head office
  std::string ca_file;
  std::string pin;          ///< "sha256//…" of the server's key
  std::string config_file;  ///< kept as it is when it holds, and is of the same fleet
  std::string state_dir;
};

/// This box's own name in a fleet, from /etc/machine-id. Errors: not_found, io.
[[nodiscard]] Result<std::string> own_box_id();

/// A request for a certificate, for a head office that is reached by other means; the key is made
/// when there is none. Errors: io, malformed.
[[nodiscard]] Result<std::string> make_own_request(const std::string& state_dir);

/// Takes the certificate for it. Errors: refused (not for our key), malformed, io.
Result<void> install_certificate(const std::string& state_dir, const std::string& pem);

/// Where the settings go that come with an enrolment from the page, which may not write /etc.
[[nodiscard]] std::string own_settings_file(const std::string& state_dir);

/// POST {"code","box","csr","version"} to the head office, which answers {"certificate","ca","org",
/// "host","port"?,"alpn"?,"hash_key"?}; keeps them, and writes config_file where there is none that
/// holds. The certificate comes last: without it the box is not enrolled, and waits on.
/// Returns what a person should know. Errors: what the head office or the network said; refused
/// (config_file is of another fleet, the certificate is not for our key), malformed, io.
Result<std::string> enrol(const EnrolWish& wish);

/// Key, certificate, settings and everything else that enrolling and being in a fleet left in the
/// folder; on the disk when this returns. The certificate goes first: a box whose power is cut in
/// between has left, too.
/// Errors: io.
Result<void> forget_enrolment(const std::string& state_dir);

}  // namespace posthorn::fleet
