#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "chat/people/usync.h"
#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/signal/curve.h"

namespace posthorn::chat {

/// A signed list of an account's valid companion indexes. Source: chapter 09 section 5.3.
struct KeyIndexList {
  std::uint32_t raw_id = 0;  ///< changes when the phone registers anew
  std::int64_t timestamp = 0;
  std::uint32_t current_index = 0;
  std::set<std::uint32_t> valid;

  /// Also a device that was linked after the list was signed.
  [[nodiscard]] bool allows(const DeviceEntry& device) const;
};

/// account_key: the account's signature key where it is known; without it the signature cannot be
/// checked. Errors: malformed, crypto (signature).
[[nodiscard]] Result<KeyIndexList> parse_key_index_list(
    ByteView signed_list, const std::optional<signal::PublicKey>& account_key);

/// A companion's proof that the account accepted its identity key. Errors: malformed, crypto.
[[nodiscard]] Result<void> check_companion(ByteView signed_identity,
                                           const signal::PublicKey& companion,
                                           const signal::PublicKey& account_key);

}  // namespace posthorn::chat
