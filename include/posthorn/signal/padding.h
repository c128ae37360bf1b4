#pragma once

#include "posthorn/base/bytes.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

namespace posthorn::signal {

/// WhatsApp's padding of the protobuf inside <enc v="2">: n bytes of value n, n = 1 .. 16 at
/// random. Source: protocol chapter 06 section 2.4, vectors padding.json.
[[nodiscard]] Bytes pad(ByteView message, Random& random);
/// The same with n given, 1 .. 16.
[[nodiscard]] Bytes pad_with(ByteView message, std::uint8_t count);

/// The message without its padding; the view is into `padded`.
/// Errors: malformed (empty, a last byte of 0 or longer than the whole, padding bytes that differ).
[[nodiscard]] Result<ByteView> unpad(ByteView padded);

}  // namespace posthorn::signal
