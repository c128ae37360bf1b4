#include <algorithm>
#include <string_view>

#include "receipts/commands.h"

namespace posthorn::receipts {

namespace {

std::size_t u16(const Token& token, std::size_t at) {
  return token.at(at) + std::size_t{256} * token.at(at + 1);
}
std::size_t u16(ByteView data, std::size_t at) {
  return std::to_integer<std::size_t>(data[at]) + 256 * std::to_integer<std::size_t>(data[at + 1]);
}
std::uint8_t byte_at(ByteView data, std::size_t at) {
  return at < data.size() ? std::to_integer<std::uint8_t>(data[at]) : std::uint8_t{0};
}
/// Parameters come as numbers and as digits.
std::uint8_t digit(std::uint8_t n) {
  return n >= '0' && n <= '9' ? static_cast<std::uint8_t>(n - '0') : n;
}

void print_mode(Press& press, std::uint8_t n) {
  press.style.font = (n & 0x01) != 0 ? Font::b : Font::a;
  press.style.bold = (n & 0x08) != 0;
  press.style.tall = (n & 0x10) != 0 ? 2 : 1;
  press.style.wide = (n & 0x20) != 0 ? 2 : 1;
  press.style.underline = (n & 0x80) != 0;
}

void align(Press& press, std::uint8_t n) {
  if (digit(n) > 2) return;
  press.align = static_cast<Press::Align>(digit(n));
}

void select_page(Run& run, std::uint8_t n) {
  if (run.press.ignore_page_commands) return;
  if (const auto page = code_page_by_number(Language::escpos, n)) run.press.page = *page;
}

void set_tabs(Press& press, ByteView data) {
  press.tabs.clear();
  for (const std::byte one : data) {
    const auto column = std::to_integer<std::size_t>(one);
    if (column == 0 || (!press.tabs.empty() && column <= press.tabs.back())) break;
    press.tabs.push_back(column);
  }
}

void column_picture(Run& run, const Token& token, ByteView data) {
  const std::uint8_t mode = token.at(2);
  const bool triple = mode == 32 || mode == 33;
  const Picture picture = columns_picture(data, u16(token, 3), triple ? 3 : 1);
  if (picture.width == 0) return;
  run.press.put_picture(picture, mode == 0 || mode == 32 ? 2 : 1, triple ? 1 : 3);
  ++run.out.pictures;
}

void raster_picture(Run& run, const Token& token, ByteView data) {
  const Picture picture = rows_picture(data, u16(token, 4), u16(token, 6));
  if (picture.width == 0 || picture.height == 0) return;
  const std::uint8_t scale = digit(token.at(3));
  run.press.block_picture(picture, (scale & 1) != 0 ? 2 : 1, (scale & 2) != 0 ? 2 : 1);
  ++run.out.pictures;
}

/// GS ( L and GS 8 L. data: m fn …
void graphics(Run& run, ByteView data) {
  switch (byte_at(data, 1)) {
    case 112: {
      if (data.size() < 10) return;
      const std::size_t width = u16(data, 6);
      run.stored = rows_picture(data.subspan(10), (width + 7) / 8, u16(data, 8));
      run.stored_wide = std::clamp<std::size_t>(byte_at(data, 3), 1, 2);
      run.stored_tall = std::clamp<std::size_t>(byte_at(data, 4), 1, 2);
      return;
    }
    case 2:
    case 50:
      if (run.stored.width == 0 || run.stored.height == 0) return;
      run.press.block_picture(run.stored, run.stored_wide, run.stored_tall);
      ++run.out.pictures;
      return;
    case 69:
      return print_logo(run);
    default:
      return;
  }
}

/// GS ( k. data: cn fn …
void symbol(Run& run, ByteView data) {
  if (byte_at(data, 0) != 49) return;  // others than QR are skipped
  switch (byte_at(data, 1)) {
    case 67:
      run.qr_module = std::clamp<std::size_t>(byte_at(data, 2), 1, 16);
      return;
    case 69:
      run.qr_level = std::clamp(byte_at(data, 2) - 48, 0, 3);
      return;
    case 80:
      if (data.size() > 3) run.qr_text = as_text(data.subspan(3));
      return;
    case 81:
      return print_qr(run);
    default:
      return;
  }
}

void downloaded_picture(Run& run, const Token& token, ByteView data) {
  run.stored = columns_picture(data, std::size_t{8} * token.at(2), token.at(3));
  run.stored_wide = run.stored_tall = 1;
}

void print_downloaded(Run& run, std::uint8_t n) {
  if (run.stored.width == 0 || run.stored.height == 0) return;
  const std::uint8_t scale = digit(n);
  run.press.block_picture(run.stored, (scale & 1) != 0 ? 2 : 1, (scale & 2) != 0 ? 2 : 1);
  ++run.out.pictures;
}

void print_barcode(Run& run, const Token& token, ByteView data) {
  if (token.at(2) <= 6 && !data.empty()) data = data.first(data.size() - 1);  // its NUL
  run.press.barcode(barcode_by_number(token.at(2)), as_text(data), run.code_module, run.code_height,
                    run.code_readable);
}

/// How letters and lines stand. False: another command.
bool run_esc_style(Run& run, const Token& token) {
  Press& press = run.press;
  const std::uint8_t n = token.at(2);
  switch (token.at(1)) {
    case '!':
      print_mode(press, n);
      return true;
    case 'E':
    case 'G':
      press.style.bold = (n & 1) != 0;
      return true;
    case '-':
      press.style.underline = digit(n) == 1 || digit(n) == 2;
      return true;
    case 'M':
      press.style.font = digit(n) == 1 ? Font::b : Font::a;
      return true;
    case 'a':
      align(press, n);
      return true;
    case 't':
      select_page(run, n);
      return true;
    case 'R':
      press.country = n;
      return true;
    case ' ':
      press.letter_spacing = n;
      return true;
    case '2':
      press.line_spacing = 30;
      return true;
    case '3':
      press.line_spacing = n;
      return true;
    default:
      return false;
  }
}

void run_esc(Run& run, const Token& token, ByteView data) {
  constexpr std::string_view kNotDrawn = "(&%=?{VULSTWcBruv<fKe\x0C";
  if (run_esc_style(run, token)) return;
  Press& press = run.press;
  switch (token.at(1)) {
    case '@':
      press.finish();
      return press.reset();
    case 'd':
      return press.feed_lines(token.at(2));
    case 'J':
      return press.feed(token.at(2));
    case '$':
      return press.move_to(u16(token, 2));
    case '\\':
      return press.move_by(static_cast<std::int16_t>(u16(token, 2)));
    case 'D':
      return set_tabs(press, data);
    case '*':
      return column_picture(run, token, data);
    case 'p':
      ++run.out.pulses;
      return;
    case 'i':
    case 'm':
      return press.finish();
    default:
      if (kNotDrawn.find(static_cast<char>(token.at(1))) == std::string_view::npos) {
        ++run.out.unknown;
      }
  }
}

void run_gs(Run& run, const Token& token, ByteView data) {
  Press& press = run.press;
  const std::uint8_t n = token.at(2);
  switch (token.at(1)) {
    case '!':
      press.style.wide = std::min<std::size_t>((n >> 4 & 7) + 1U, 8);
      press.style.tall = std::min<std::size_t>((n & 7) + 1U, 8);
      return;
    case 'B':
      press.style.inverted = (n & 1) != 0;
      return;
    case 'L':
      press.left_margin = std::min<std::size_t>(u16(token, 2), press.paper().width());
      return;
    case 'W':
      press.area_width = u16(token, 2);
      return;
    case 'v':
      return raster_picture(run, token, data);
    case '(':
      if (n == 'k') return symbol(run, data);
      if (n == 'L') return graphics(run, data);
      return;
    case '8':
      return graphics(run, data);
    case '*':
      return downloaded_picture(run, token, data);
    case '/':
      return print_downloaded(run, n);
    case 'k':
      return print_barcode(run, token, data);
    case 'h':
      run.code_height = n;
      return;
    case 'w':
      run.code_module = n;
      return;
    case 'H':
      run.code_readable = digit(n) != 0;
      return;
    case 'V':
      return press.finish();
    default:
      if (token.head_size == 2 && token.at(1) != ':' && token.at(1) != 'c') ++run.out.unknown;
  }
}

void run_fs(Run& run, const Token& token, ByteView data) {
  switch (token.at(1)) {
    case 'p':
      return print_logo(run);
    case '(':
      // FS ( C: 48 selects the encoding, 2 is UTF-8.
      if (token.at(2) == 'C' && byte_at(data, 0) == 48 && digit(byte_at(data, 1)) == 2 &&
          !run.press.ignore_page_commands) {
        run.press.page = CodePage{CodePage::kUtf8};
      }
      return;
    default:
      return;
  }
}

}  // namespace

void run_escpos(Run& run, const Token& token, ByteView data) {
  if (token.at(0) == 0x1B) return run_esc(run, token, data);
  if (token.at(0) == 0x1D) return run_gs(run, token, data);
  if (token.at(0) == 0x1C) return run_fs(run, token, data);
  if (token.is({0x10, 0x14, 0x01})) ++run.out.pulses;
}

}  // namespace posthorn::receipts
