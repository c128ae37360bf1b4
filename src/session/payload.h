#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/wire/jid.h"

namespace posthorn::session {

/// WhatsApp web's version, e.g. {2, 3000, 1043028647}.
using Version = std::array<std::uint32_t, 3>;
/// "2.3000.1043028647"
[[nodiscard]] std::string to_string(const Version& version);

/// The public keys that a new device shows when it registers: raw 32 bytes, no type byte.
struct RegistrationKeys {
  std::uint32_t registration_id = 0;
  Bytes identity_public;
  std::uint32_t signed_prekey_id = 0;
  Bytes signed_prekey_public;
  Bytes signed_prekey_signature;  ///< 64 bytes, by the identity over 05 and the public key
};

/// The serialised ClientPayload of a device without an account.
/// device_name: shown in the phone's list of linked devices.
/// Source: protocol chapter 01 sections 7.1 - 7.5.
[[nodiscard]] Bytes build_registration_payload(const Version& version, const RegistrationKeys& keys,
                                               const std::string& device_name);

/// The serialised ClientPayload of a linked device. own: PN with its device number; login_counter:
/// 0 right after linking, one more for every login. Errors: malformed when `own` is no phone
/// number. Source: protocol chapter 01 sections 7.2 and 7.6.
[[nodiscard]] Result<Bytes> build_login_payload(const Version& version, const wire::Jid& own,
                                                std::uint32_t login_counter);

/// n in `width` bytes, big-endian, as key nodes carry ids (3) and registration ids (4).
[[nodiscard]] Bytes big_endian(std::uint32_t n, std::size_t width);

}  // namespace posthorn::session
