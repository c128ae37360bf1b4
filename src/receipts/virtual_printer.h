#pragma once

#include "posthorn/base/bytes.h"
#include "receipts/lexer.h"

namespace posthorn::receipts {

/// Answers a till as a printer would that has paper and nothing to complain of, where there is no
/// printer. Source: Epson's command reference for the status commands; what escpos-netprinter
/// answers, read Nov 2026.
class VirtualPrinter {
 public:
  explicit VirtualPrinter(Language language) : lexer_(language) {}

  /// Appends what goes back to the till.
  void feed(ByteView bytes, Bytes& answer);

 private:
  static constexpr std::size_t kMostKept = 64;

  Lexer lexer_;
  Bytes current_;  ///< the beginning of the token that comes
};

}  // namespace posthorn::receipts
