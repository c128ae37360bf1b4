#pragma once

#include <string>
#include <vector>

#include "receipts/bitmap.h"

namespace posthorn::receipts {

/// Whether this system has libzbar (Debian's libzbar0), which reads QR codes in pictures. It is
/// looked for once and not needed for anything else.
[[nodiscard]] bool can_read_qr();

/// What the QR codes on a paper say: for receipts that came as one picture. Empty without libzbar,
/// and for papers of more than kTallestRead rows. Runs on any thread.
[[nodiscard]] std::vector<std::string> read_qr(const Bitmap& paper);

inline constexpr std::size_t kTallestRead = 4000;

}  // namespace posthorn::receipts
