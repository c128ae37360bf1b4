#include "receipts/qr_block.h"

#include "receipts/codes.h"

namespace posthorn::receipts {

namespace {

constexpr std::size_t kModule = 6;
constexpr int kLevelM = 1;
/// Lines from the print head to the cutter.
constexpr std::uint8_t kFeedLines = 4;

class Writer {
 public:
  Writer& put(std::initializer_list<int> bytes) {
    for (const int byte : bytes) out_.push_back(static_cast<std::byte>(byte));
    return *this;
  }
  Writer& put(std::string_view text) {
    append(out_, as_bytes(text));
    return *this;
  }
  Writer& line(std::string_view text) {
    if (!text.empty()) put(printable_ascii(text)).put({0x0A});
    return *this;
  }
  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

int low(std::size_t n) { return static_cast<int>(n & 0xFF); }
int high(std::size_t n) { return static_cast<int>(n >> 8 & 0xFF); }

void put_native_escpos(Writer& out, const std::string& payload) {
  const std::size_t stored = payload.size() + 3;
  out.put({0x1D, '(', 'k', 4, 0, 49, 65, 50, 0});
  out.put({0x1D, '(', 'k', 3, 0, 49, 67, static_cast<int>(kModule)});
  out.put({0x1D, '(', 'k', 3, 0, 49, 69, 48 + kLevelM});
  out.put({0x1D, '(', 'k', low(stored), high(stored), 49, 80, 48}).put(payload);
  out.put({0x1D, '(', 'k', 3, 0, 49, 81, 48});
}

void put_native_star(Writer& out, const std::string& payload) {
  out.put({0x1B, 0x1D, 'y', 'S', '0', 2});
  out.put({0x1B, 0x1D, 'y', 'S', '1', kLevelM});
  out.put({0x1B, 0x1D, 'y', 'S', '2', static_cast<int>(kModule)});
  out.put({0x1B, 0x1D, 'y', 'D', '1', 0, low(payload.size()), high(payload.size())}).put(payload);
  out.put({0x1B, 0x1D, 'y', 'P', 0x0A});
}

/// GS v 0, the modules as squares, in the middle of the paper: some printers align no pictures.
void put_raster(Writer& out, const QrBlock& block) {
  const auto code = make_qr(block.payload, kLevelM);
  if (!code) return;
  const std::size_t side = code->side * kModule;
  if (side > block.width) return;
  const std::size_t left = (block.width - side) / 2;
  const std::size_t bytes = block.width / 8;
  out.put({0x1D, 'v', '0', 0, low(bytes), high(bytes), low(side), high(side)});
  for (std::size_t y = 0; y < side; ++y) {
    std::string row(bytes, '\0');
    for (std::size_t x = 0; x < side; ++x) {
      if (!code->at(x / kModule, y / kModule)) continue;
      const std::size_t at = left + x;
      row[at / 8] = static_cast<char>(row[at / 8] | (0x80 >> (at % 8)));
    }
    out.put(row);
  }
}

Bytes escpos_block(const QrBlock& block, const LetterState& letters) {
  Writer out;
  out.put({0x1B, '!', 0, 0x1D, 'B', 0, 0x1B, 'a', 1});
  out.line(block.above);
  if (block.raster) {
    out.put({0x1B, 'a', 0});
    put_raster(out, block);
    out.put({0x1B, 'a', 1});
  } else {
    put_native_escpos(out, block.payload);
  }
  out.line(block.below);
  out.put({0x1B, 'd', kFeedLines});
  out.put({0x1B, 'a', letters.align, 0x1B, '!', letters.mode, 0x1D, '!', letters.size});
  if (letters.inverted) out.put({0x1D, 'B', 1});
  return out.take();
}

Bytes star_block(const QrBlock& block, const LetterState& letters) {
  Writer out;
  out.put({0x1B, 'F', 0x1B, 'i', 0, 0, 0x1B, 0x1D, 'a', 1});
  out.line(block.above);
  put_native_star(out, block.payload);
  out.line(block.below);
  out.put({0x1B, 'a', kFeedLines});
  out.put({0x1B, 0x1D, 'a', letters.align, 0x1B, (letters.mode & 0x08) != 0 ? 'E' : 'F'});
  out.put({0x1B, 'i', letters.size & 7, letters.size >> 4});
  return out.take();
}

}  // namespace

std::string printable_ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && byte < 0xC0) continue;  // the rest of a letter in UTF-8
    out += byte >= 0x20 && byte < 0x7F ? c : '?';
  }
  return out;
}

Bytes encode_qr_block(const QrBlock& block, Language language, const LetterState& letters) {
  return language == Language::star ? star_block(block, letters) : escpos_block(block, letters);
}

}  // namespace posthorn::receipts
