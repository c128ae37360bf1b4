#include "receipts/codes.h"

#include <qrencode.h>

#include <algorithm>
#include <array>
#include <memory>

namespace posthorn::receipts {

namespace {

using Widths = std::vector<std::uint8_t>;

void append_digits(Widths& out, std::string_view widths) {
  for (const char c : widths) out.push_back(static_cast<std::uint8_t>(c - '0'));
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// EAN and UPC: ISO/IEC 15420.
constexpr std::array<std::string_view, 10> kEan{"3211", "2221", "2122", "1411", "1132",
                                                "1231", "1114", "1312", "1213", "3112"};
/// Which digits of the left half are mirrored, by the first one.
constexpr std::array<std::uint8_t, 10> kEanLeft{0x00, 0x0B, 0x0D, 0x0E, 0x13,
                                                0x19, 0x1C, 0x15, 0x16, 0x1A};

char check_digit(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    sum += (digits[digits.size() - 1 - i] - '0') * (i % 2 == 0 ? 3 : 1);
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

void append_ean(Widths& out, char digit, bool mirrored) {
  std::string widths(kEan[static_cast<std::size_t>(digit - '0')]);
  if (mirrored) std::reverse(widths.begin(), widths.end());
  append_digits(out, widths);
}

Widths ean(std::string text, std::size_t length) {
  if (!all_digits(text) || (text.size() != length && text.size() + 1 != length)) return {};
  if (text.size() < length) text += check_digit(text);
  const bool long_form = length == 13;
  const std::size_t first = long_form ? 1 : 0;
  const std::size_t half = long_form ? 6 : 4;
  const std::uint8_t left = long_form ? kEanLeft[static_cast<std::size_t>(text[0] - '0')] : 0;
  Widths out;
  append_digits(out, "111");
  for (std::size_t i = 0; i < half; ++i) {
    append_ean(out, text[first + i], (left >> (half - 1 - i) & 1) != 0);
  }
  append_digits(out, "11111");
  for (std::size_t i = 0; i < half; ++i) append_ean(out, text[first + half + i], false);
  append_digits(out, "111");
  return out;
}

// Code 39: ISO/IEC 16388. n narrow, w wide, nine elements a character.
constexpr std::string_view kCode39Letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*";
constexpr std::array<std::uint16_t, 44> kCode39{
    0x034, 0x121, 0x061, 0x160, 0x031, 0x130, 0x070, 0x025, 0x124, 0x064, 0x109,
    0x049, 0x148, 0x019, 0x118, 0x058, 0x00D, 0x10C, 0x04C, 0x01C, 0x103, 0x043,
    0x142, 0x013, 0x112, 0x052, 0x007, 0x106, 0x046, 0x016, 0x181, 0x0C1, 0x1C0,
    0x091, 0x190, 0x0D0, 0x085, 0x184, 0x0C4, 0x0A8, 0x0A2, 0x08A, 0x02A, 0x094};

Widths code39(std::string text) {
  if (text.empty() || text.front() != '*') text.insert(text.begin(), '*');
  if (text.size() < 2 || text.back() != '*') text += '*';
  Widths out;
  for (const char c : text) {
    const std::size_t index = kCode39Letters.find(c);
    if (index == std::string_view::npos) return {};
    if (!out.empty()) out.push_back(1);
    for (int bit = 8; bit >= 0; --bit) out.push_back((kCode39[index] >> bit & 1) != 0 ? 3 : 1);
  }
  return out;
}

// Interleaved 2 of 5: ISO/IEC 16390.
constexpr std::array<std::uint8_t, 10> kItf{0x06, 0x11, 0x09, 0x18, 0x05,
                                            0x14, 0x0C, 0x03, 0x12, 0x0A};

Widths itf(std::string text) {
  if (text.empty() || !all_digits(text)) return {};
  if (text.size() % 2 != 0) text.insert(text.begin(), '0');
  Widths out;
  append_digits(out, "1111");
  for (std::size_t i = 0; i < text.size(); i += 2) {
    for (int bit = 4; bit >= 0; --bit) {
      for (const char c : {text[i], text[i + 1]}) {
        out.push_back((kItf[static_cast<std::size_t>(c - '0')] >> bit & 1) != 0 ? 3 : 1);
      }
    }
  }
  append_digits(out, "311");
  return out;
}

// Code 128: ISO/IEC 15417; widths of the values 0 .. 105, then the stop.
constexpr std::array<std::string_view, 107> kCode128{
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212",
    "221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221",
    "223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122", "321221",
    "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131",
    "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131",
    "311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111",
    "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242",
    "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112"};

/// Values of "{A…", "{B…" and "{C…", which may switch in between; {1 .. {4 are functions.
std::vector<unsigned> code128_values(std::string_view text) {
  std::vector<unsigned> values;
  char set = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '{' && i + 1 < text.size()) {
      const char next = text[++i];
      if (next == 'A' || next == 'B' || next == 'C') {
        const unsigned offset = static_cast<unsigned>(next - 'A');
        values.push_back(set == 0 ? 103 + offset : 101 - offset);
        set = next;
        continue;
      }
      if (next == '1') values.push_back(102);
      if (next != '{') continue;
      byte = '{';
    }
    if (set == 0) {
      set = 'B';
      values.push_back(104);
    }
    if (set == 'C') {
      // Tills send either the value itself or two digits.
      if (byte >= '0' && byte <= '9' && i + 1 < text.size() && all_digits(text.substr(i, 2))) {
        values.push_back(static_cast<unsigned>(byte - '0') * 10 +
                         static_cast<unsigned>(text[++i] - '0'));
      } else if (byte < 100) {
        values.push_back(byte);
      }
    } else if (byte < 0x80) {
      values.push_back(byte >= 0x20 ? byte - 0x20U : byte + 64U);
    }
  }
  return values;
}

Widths code128(std::string_view text) {
  const std::vector<unsigned> values = code128_values(text);
  if (values.size() < 2) return {};
  unsigned sum = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    sum = (sum + values[i] * static_cast<unsigned>(i)) % 103;
  }
  Widths out;
  for (const unsigned value : values) append_digits(out, kCode128[std::min(value, 105U)]);
  append_digits(out, kCode128[sum]);
  append_digits(out, kCode128[106]);
  return out;
}

}  // namespace

std::optional<QrCode> make_qr(std::string_view text, int level) {
  struct FreeCode {
    void operator()(QRcode* code) const { QRcode_free(code); }
  };
  if (text.empty()) return std::nullopt;
  const std::unique_ptr<QRcode, FreeCode> code(QRcode_encodeData(
      static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0,
      static_cast<QRecLevel>(std::clamp(level, 0, 3))));
  if (!code) return std::nullopt;
  QrCode out;
  out.side = static_cast<std::size_t>(code->width);
  out.modules.reserve(out.side * out.side);
  for (std::size_t i = 0; i < out.side * out.side; ++i) {
    out.modules.push_back((code->data[i] & 1) != 0);
  }
  return out;
}

Barcode barcode_by_number(std::uint8_t number) {
  constexpr std::array<Barcode, 9> kKinds{Barcode::upc_a,   Barcode::upc_e,  Barcode::ean13,
                                          Barcode::ean8,    Barcode::code39, Barcode::itf,
                                          Barcode::codabar, Barcode::code93, Barcode::code128};
  if (number <= 6) return kKinds[number];
  return number >= 65 && number <= 73 ? kKinds[number - 65U] : Barcode::other;
}

std::vector<std::uint8_t> make_barcode(Barcode kind, std::string_view text) {
  switch (kind) {
    case Barcode::upc_a:
      return ean("0" + std::string(text), 13);
    case Barcode::ean13:
      return ean(std::string(text), 13);
    case Barcode::ean8:
      return ean(std::string(text), 8);
    case Barcode::code39:
      return code39(std::string(text));
    case Barcode::itf:
      return itf(std::string(text));
    case Barcode::code128:
      return code128(text);
    case Barcode::upc_e:
    case Barcode::codabar:
    case Barcode::code93:
    case Barcode::other:
      return {};
  }
  return {};
}

std::string readable_barcode(Barcode kind, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kind == Barcode::code128 && text[i] == '{' && i + 1 < text.size() && text[i + 1] != '{') {
      ++i;
      continue;
    }
    if (kind == Barcode::code128 && text[i] == '{') ++i;
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7F) out += text[i];
  }
  return out;
}

}  // namespace posthorn::receipts
