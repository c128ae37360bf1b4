#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::receipts {

/// A square of modules, true is black.
struct QrCode {
  std::size_t side = 0;
  std::vector<bool> modules;

  [[nodiscard]] bool at(std::size_t x, std::size_t y) const { return modules[y * side + x]; }
};
/// level: 0 .. 3 (L, M, Q, H). nullopt: too long for a code.
[[nodiscard]] std::optional<QrCode> make_qr(std::string_view text, int level);

enum class Barcode : std::uint8_t {
  upc_a,
  upc_e,
  ean13,
  ean8,
  code39,
  itf,
  codabar,
  code93,
  code128,
  other
};
/// Of `GS k m`.
[[nodiscard]] Barcode barcode_by_number(std::uint8_t number);
/// Widths of bars and gaps in modules, a bar first; empty: of a kind that is not drawn here
/// (UPC-E, Codabar, Code 93), or not of such text. Code 39 and ITF have wide bars of 3 modules.
[[nodiscard]] std::vector<std::uint8_t> make_barcode(Barcode kind, std::string_view text);
/// What a person reads below it: of Code 128 without its "{B".
[[nodiscard]] std::string readable_barcode(Barcode kind, std::string_view text);

}  // namespace posthorn::receipts
