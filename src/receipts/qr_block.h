#pragma once

#include <string>

#include "posthorn/base/bytes.h"
#include "receipts/tap.h"

namespace posthorn::receipts {

/// What the box prints at the end of a receipt.
struct QrBlock {
  std::string payload;       ///< of the code: "https://wa.me/49…?text=R-7F3KQ"
  std::string above, below;  ///< lines of ASCII; may be empty
  bool raster = false;       ///< the code as dots: for printers that make no QR codes themselves
  std::size_t width = 576;   ///< dots of the paper
};
/// Bytes for the printer, after which letters stand as they stood before.
[[nodiscard]] Bytes encode_qr_block(const QrBlock& block, Language language,
                                    const LetterState& letters);

/// Of the block: a letter that is no printable ASCII becomes '?'.
[[nodiscard]] std::string printable_ascii(std::string_view text);

}  // namespace posthorn::receipts
