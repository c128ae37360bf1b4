#include "ctl/terminal_qr.h"

#include <qrencode.h>

#include <memory>

namespace posthorn::ctl {

Result<std::string> terminal_qr(const std::string& text) {
  struct Free {
    void operator()(QRcode* code) const { QRcode_free(code); }
  };
  const std::unique_ptr<QRcode, Free> code(QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L));
  if (!code) return fail(Errc::malformed, "too long for a QR code");
  constexpr int kQuiet = 2;
  const auto dark = [&code](int x, int y) {
    const bool inside = x >= 0 && y >= 0 && x < code->width && y < code->width;
    return inside && (code->data[y * code->width + x] & 1) != 0;
  };
  std::string out;
  for (int y = -kQuiet; y < code->width + kQuiet; y += 2) {
    out += "\033[30;47m";  // black on white, whatever the terminal's colours are
    for (int x = -kQuiet; x < code->width + kQuiet; ++x) {
      const bool top = dark(x, y);
      const bool bottom = dark(x, y + 1);
      out += top ? (bottom ? "█" : "▀") : (bottom ? "▄" : " ");
    }
    out += "\033[0m\n";
  }
  return out;
}

}  // namespace posthorn::ctl
