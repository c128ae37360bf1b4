#pragma once

#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

namespace posthorn::api {

/// The text as a QR code in a PNG: 1 bit grey, a quiet zone of 4 modules, at least 264 pixels wide.
/// Errors: malformed (empty, or longer than a QR code holds), io (no memory).
[[nodiscard]] Result<Bytes> encode_qr_png(const std::string& text);

}  // namespace posthorn::api
