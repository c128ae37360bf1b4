#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "posthorn/base/time.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// Ids per receipt stanza at most.
inline constexpr std::size_t kReceiptMaxIds = 256;

enum class ReadTo : std::uint8_t { everybody, own_devices };
/// <receipt type="read">, or "read-self" when the account hides its read receipts.
/// sender: groups only, without device. ids: 1 .. kReceiptMaxIds, newest last.
[[nodiscard]] wire::Node build_read_receipt(const wire::Jid& chat,
                                            const std::optional<wire::Jid>& sender,
                                            std::span<const std::string> ids, Wall when, ReadTo to);

}  // namespace posthorn::chat
