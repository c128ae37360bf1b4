#pragma once

#include <string>

#include "posthorn/base/bytes.h"

namespace posthorn {

/// RFC 4648 section 5 without padding, as WebAuthn writes bytes in JSON. base64_decode() reads it.
[[nodiscard]] std::string base64url_encode(ByteView bytes);

}  // namespace posthorn
