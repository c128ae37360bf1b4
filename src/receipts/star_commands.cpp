#include <algorithm>

#include "receipts/commands.h"

namespace posthorn::receipts {

namespace {

std::size_t u16(const Token& token, std::size_t at) {
  return token.at(at) + std::size_t{256} * token.at(at + 1);
}
std::uint8_t digit(std::uint8_t n) {
  return n >= '0' && n <= '9' ? static_cast<std::uint8_t>(n - '0') : n;
}

/// ESC GS y: model, level and module size, payload, print.
void star_qr(Run& run, const Token& token, ByteView data) {
  switch (token.at(3)) {
    case 'S':
      if (digit(token.at(4)) == 1) run.qr_level = std::clamp<int>(digit(token.at(5)), 0, 3);
      if (digit(token.at(4)) == 2) run.qr_module = std::clamp<std::size_t>(token.at(5), 1, 8);
      return;
    case 'D':
      run.qr_text = as_text(data);
      return;
    case 'P':
      return print_qr(run);
    default:
      return;
  }
}

void star_gs(Run& run, const Token& token, ByteView data) {
  Press& press = run.press;
  switch (token.at(2)) {
    case 't':
      if (press.ignore_page_commands) return;
      if (const auto page = code_page_by_number(Language::star, token.at(3))) press.page = *page;
      return;
    case 'a':
      if (digit(token.at(3)) <= 2) press.align = static_cast<Press::Align>(digit(token.at(3)));
      return;
    case 'A':
      return press.move_to(u16(token, 3));
    case 'R':
      return press.move_by(static_cast<std::int16_t>(u16(token, 3)));
    case 'y':
      return star_qr(run, token, data);
    case 'S': {
      const Picture picture = rows_picture(data, u16(token, 4), u16(token, 6));
      if (picture.width == 0 || picture.height == 0) return;
      press.block_picture(picture, 1, 1);
      ++run.out.pictures;
      return;
    }
    default:
      return;
  }
}

/// One row of the paper, or of 24 of them.
void star_rows(Run& run, ByteView data, std::size_t bytes, std::size_t rows) {
  const Picture picture = rows_picture(data, bytes, rows);
  if (picture.width == 0 || picture.height == 0) return;
  const Press::Align before = run.press.align;
  run.press.align = Press::Align::left;
  run.press.block_picture(picture, 1, 1);
  run.press.align = before;
  ++run.out.pictures;
}

void star_columns(Run& run, const Token& token, ByteView data, std::size_t bytes,
                  std::size_t wide) {
  const Picture picture = columns_picture(data, u16(token, 2), bytes);
  if (picture.width == 0) return;
  run.press.put_picture(picture, wide, bytes == 3 ? 1 : 3);
  ++run.out.pictures;
}

/// ESC b n1 n2 n3 n4 text RS: kind, what is read below it, width, height.
void star_barcode(Run& run, ByteView data) {
  if (data.size() < 5) return;
  constexpr Barcode kKinds[] = {Barcode::upc_e,   Barcode::upc_a,  Barcode::ean8,
                                Barcode::ean13,   Barcode::code39, Barcode::itf,
                                Barcode::code128, Barcode::code93, Barcode::codabar};
  const auto at = [data](std::size_t i) { return std::to_integer<std::uint8_t>(data[i]); };
  const std::uint8_t kind = digit(at(0));
  if (kind >= std::size(kKinds)) return;
  const std::uint8_t readable = digit(at(1));
  run.press.barcode(kKinds[kind], as_text(data.subspan(4, data.size() - 5)),
                    std::clamp<std::size_t>(digit(at(2)), 1, 3) + 1, at(3), readable % 2 == 0);
}

/// How letters stand. False: another command.
bool star_style(Press& press, const Token& token) {
  const std::uint8_t n = token.at(2);
  const auto times = [](std::uint8_t by) { return std::clamp<std::size_t>(digit(by) + 1U, 1, 6); };
  switch (token.at(1)) {
    case 'E':
    case 'F':
      press.style.bold = token.at(1) == 'E';
      return true;
    case '4':
    case '5':
      press.style.inverted = token.at(1) == '4';
      return true;
    case '-':
      press.style.underline = digit(n) != 0;
      return true;
    case 'W':
      press.style.wide = times(n);
      return true;
    case 'h':
      press.style.tall = times(n);
      return true;
    case 'i':
      press.style.tall = times(n);
      press.style.wide = times(token.at(3));
      return true;
    case 0x0E:
    case 0x14:
      press.style.tall = token.at(1) == 0x0E ? 2 : 1;
      return true;
    case 'R':
      press.country = n;
      return true;
    default:
      return false;
  }
}

void star_esc(Run& run, const Token& token, ByteView data) {
  if (star_style(run.press, token)) return;
  Press& press = run.press;
  const std::uint8_t n = token.at(2);
  switch (token.at(1)) {
    case '@':
      press.finish();
      return press.reset();
    case 'a':
      return press.feed_lines(n);
    case 'J':
    case 'I':
      return press.feed(std::size_t{2} * n);
    case 'd':
      return press.finish();
    case 'K':
      return star_columns(run, token, data, 1, 2);
    case 'L':
      return star_columns(run, token, data, 1, 1);
    case 'X':
      return star_columns(run, token, data, 3, 1);
    case 'k':
      return star_rows(run, data, u16(token, 2), 24);
    case 'b':
      return star_barcode(run, data);
    case 0x1C:
      if (n == 'p') print_logo(run);
      return;
    case 0x1D:
      return star_gs(run, token, data);
    default:
      if (token.head_size == 2) ++run.out.unknown;
  }
}

}  // namespace

void run_star(Run& run, const Token& token, ByteView data) {
  if (token.at(0) == 'b' || token.at(0) == 'k') {
    return star_rows(run, data, data.size(), 1);
  }
  star_esc(run, token, data);
}

}  // namespace posthorn::receipts
