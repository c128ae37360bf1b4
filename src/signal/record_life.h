#pragma once

#include <cstdint>
#include <optional>

#include "posthorn/base/bytes.h"
#include "signal/library.h"

/// Which life of the program wrote a record (KeyStore::life): a field of our own at its end, that
/// the library does not know and steps over.
namespace posthorn::signal {

[[nodiscard]] Bytes with_life(Bytes record, std::uint64_t life);
/// 0: it does not say.
[[nodiscard]] std::uint64_t life_of(ByteView record);

/// How far a sending chain may have run ahead of the record at hand (store/lease.h).
inline constexpr std::uint32_t kRunAhead = 64;

/// The session with the sending chains of all its states kRunAhead numbers further.
/// nullopt: the record cannot be read.
[[nodiscard]] std::optional<Bytes> skip_ahead_session(ByteView record, signal_context* context);
/// The same of our own sender key; a member's stays as it is.
[[nodiscard]] std::optional<Bytes> skip_ahead_sender_key(ByteView record, signal_context* context);

}  // namespace posthorn::signal
