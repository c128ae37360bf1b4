#pragma once

#include <cstdint>
#include <span>

#include "posthorn/base/result.h"
#include "posthorn/store/database.h"

/// What strangers can make us keep: anybody may write to a shop, each with as many devices, and a
/// member's key for any group he names. Who is dropped is met as somebody new: a session is built
/// again, with one question to the server.
namespace posthorn::store {

inline constexpr std::int64_t kSessionsMax = 20'000;
inline constexpr std::int64_t kIdentitiesMax = 40'000;
inline constexpr std::int64_t kSenderKeysMax = 20'000;
inline constexpr std::int64_t kSenderKeysPerDevice = 200;
inline constexpr std::uint32_t kLookAtPeersEvery = 256;

/// A table and how many rows of it may stay.
struct RowBound {
  const char* count;  ///< gives the rows there are
  const char* drop;   ///< deletes ?1 of them, the most dispensable first
  std::int64_t most;
};
/// Errors: io, full.
Result<void> bound_rows(Database& database, std::span<const RowBound> bounds);

/// Drops the oldest beyond these numbers. Errors: io, full.
Result<void> bound_peers(Database& database);

}  // namespace posthorn::store
