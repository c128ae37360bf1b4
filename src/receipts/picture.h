#pragma once

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "receipts/bitmap.h"

namespace posthorn::receipts {

/// A PNG of 1-bit grey, dot for dot. Errors: io (no memory for the compressor).
[[nodiscard]] Result<Bytes> encode_png(const Bitmap& paper);

/// A PDF of one page as large as the paper, 203 dots an inch. Errors: as encode_png().
[[nodiscard]] Result<Bytes> encode_pdf(const Bitmap& paper);

}  // namespace posthorn::receipts
