#pragma once

#include <cstddef>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

namespace posthorn::wire {

/// Inflates one zlib stream (RFC 1950); bytes behind it are ignored.
/// Errors: malformed (not zlib, checksum, truncated, more than limit_bytes).
[[nodiscard]] Result<Bytes> inflate_zlib(ByteView compressed, std::size_t limit_bytes);

}  // namespace posthorn::wire
