#include "receipts/virtual_printer.h"

#include <algorithm>
#include <string_view>

namespace posthorn::receipts {

namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t kDle = 0x10;
constexpr std::uint8_t kGs = 0x1D;
constexpr std::uint8_t kEsc = 0x1B;

void put(Bytes& out, std::string_view bytes) { append(out, as_bytes(bytes)); }

/// GS I n: who are you?
void identify(std::uint8_t n, Bytes& out) {
  switch (n) {
    case 1:
    case '1':
      return put(out, "\x20"sv);
    case 2:
    case '2':
      return put(out, "\x02"sv);
    case 3:
    case '3':
      return put(out, "\x01"sv);
    case 65:
      return put(out, "_1.0\0"sv);
    case 66:
      return put(out, "_EPSON\0"sv);
    case 67:
      return put(out, "_TM-T88V\0"sv);
    case 68:
      return put(out, "_POSTHORN\0"sv);
    case 69:
      return put(out, "_\0"sv);
    default:
      return;
  }
}

/// GS ( H: a process id comes back when everything before it is printed.
void confirm_process(ByteView data, Bytes& out) {
  if (data.size() < 6) return;
  const auto function = std::to_integer<std::uint8_t>(data[0]);
  if (function != 48 && function != 49) return;
  put(out, function == 48 ? "\x37\x22"sv : "\x37\x23"sv);
  append(out, data.subspan(2, 4));
  put(out, "\0"sv);
}

void answer_escpos(const Token& token, ByteView data, Bytes& out) {
  if (token.is({kDle, 0x04})) return put(out, token.at(2) == 1 ? "\x16"sv : "\x12"sv);
  if (token.is({kDle, 0x14, 8})) return put(out, "\x37\x25\0"sv);
  if (token.is({kGs, 'r'})) return put(out, "\0"sv);
  if (token.is({kGs, 'a'}) && token.at(2) != 0) return put(out, "\x10\0\0\0"sv);
  if (token.is({kGs, 'I'})) return identify(token.at(2), out);
  if (token.is({kGs, '(', 'H'})) return confirm_process(data, out);
  if (token.is({kEsc, 'v'}) || token.is({kEsc, 'u'})) return put(out, "\0"sv);
}

/// Star's status block: length, version, six bytes of which none is set.
void answer_star(const Token& token, Bytes& out) {
  if (token.is({kEsc, 0x06, 0x01}) ||
      (token.is({kEsc, 0x1E, 'a'}) && token.at(3) != '0' && token.at(3) != 0)) {
    put(out, "\x23\x86\0\0\0\0\0\0\0"sv);
  }
}

}  // namespace

void VirtualPrinter::feed(ByteView bytes, Bytes& answer) {
  while (!bytes.empty()) {
    const Lexer::Fed fed = lexer_.feed(bytes);
    const std::size_t room = kMostKept - std::min(kMostKept, current_.size());
    append(current_, bytes.first(std::min(fed.taken, room)));
    bytes = bytes.subspan(fed.taken);
    if (!fed.ended) continue;
    const Token& token = lexer_.token();
    if (token.kind == Token::Kind::command && lexer_.language() == Language::star) {
      answer_star(token, answer);
    } else if (token.kind == Token::Kind::command) {
      const ByteView whole = current_;
      answer_escpos(token, whole.subspan(std::min(token.head_size, whole.size())), answer);
    }
    current_.clear();
  }
}

}  // namespace posthorn::receipts
