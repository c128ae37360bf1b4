#pragma once

#include <string>

#include "posthorn/base/result.h"

namespace posthorn::ctl {

/// A QR code of `text` in half blocks, dark on light, with its quiet zone. Needs a UTF-8 terminal.
[[nodiscard]] Result<std::string> terminal_qr(const std::string& text);

}  // namespace posthorn::ctl
