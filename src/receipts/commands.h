#pragma once

#include "receipts/press.h"
#include "receipts/render.h"

namespace posthorn::receipts {

/// What the commands of a job share.
struct Run {
  Press& press;
  Rendered& out;
  const Reading& reading;

  // Set by commands, used by later ones.
  std::size_t qr_module = 3;
  int qr_level = 0;
  std::string qr_text = {};
  std::size_t code_height = 162, code_module = 3;
  bool code_readable = false;
  Picture stored = {};  ///< downloaded, printed later
  std::size_t stored_wide = 1, stored_tall = 1;
};

/// data: what stands behind the parameters.
void run_escpos(Run& run, const Token& token, ByteView data);
void run_star(Run& run, const Token& token, ByteView data);

/// The logo of the printer's memory, or a line that says that it is missing here.
void print_logo(Run& run);
/// QR code, and its payload.
void print_qr(Run& run);

/// Rows of `bytes` bytes, the leftmost dot the highest bit.
[[nodiscard]] Picture rows_picture(ByteView data, std::size_t bytes, std::size_t rows);
/// Columns of `bytes` bytes, the uppermost dot the highest bit.
[[nodiscard]] Picture columns_picture(ByteView data, std::size_t columns, std::size_t bytes);

}  // namespace posthorn::receipts
