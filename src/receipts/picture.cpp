#include "receipts/picture.h"

#include <zlib.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace posthorn::receipts {

namespace {

constexpr std::array<std::uint8_t, 8> kSignature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr double kDotsPerInch = 203;
constexpr double kPointsPerInch = 72;

/// Rows as grey, white is 1, compressed as they are made. filter: with the byte in front of each
/// row that PNG has.
Result<Bytes> deflate_rows(const Bitmap& paper, bool filter) {
  z_stream stream{};
  // 32 KiB of window and a small table: 160 KiB, on a board with little.
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15, 7, Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail(Errc::io, "no memory for a picture");
  }
  Bytes out;
  std::array<Bytef, 16384> piece{};
  std::vector<Bytef> line(paper.stride() + (filter ? 1 : 0));
  const auto run = [&](int flush) {
    do {
      stream.next_out = piece.data();
      stream.avail_out = piece.size();
      (void)deflate(&stream, flush);
      const std::size_t made = piece.size() - stream.avail_out;
      append(out, std::as_bytes(std::span(piece).first(made)));
    } while (stream.avail_out == 0);
  };
  for (std::size_t y = 0; y < paper.height(); ++y) {
    const auto row = paper.row(y);
    for (std::size_t i = 0; i < row.size(); ++i) {
      line[i + (filter ? 1 : 0)] = static_cast<Bytef>(~row[i]);
    }
    stream.next_in = line.data();
    stream.avail_in = static_cast<uInt>(line.size());
    run(Z_NO_FLUSH);
  }
  run(Z_FINISH);
  deflateEnd(&stream);
  return out;
}

void append_u32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

void append_chunk(Bytes& out, std::string_view name, ByteView data) {
  append_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t from = out.size();
  append(out, as_bytes(name));
  append(out, data);
  const auto* bytes = reinterpret_cast<const Bytef*>(out.data() + from);
  append_u32(out,
             static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(out.size() - from))));
}

std::string points(std::size_t dots) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f",
                static_cast<double>(dots) * kPointsPerInch / kDotsPerInch);
  return text.data();
}

}  // namespace

Result<Bytes> encode_png(const Bitmap& paper) {
  TRY(const Bytes rows, deflate_rows(paper, true));
  Bytes out;
  append(out, std::as_bytes(std::span(kSignature)));
  Bytes head;
  append_u32(head, static_cast<std::uint32_t>(paper.width()));
  append_u32(head, static_cast<std::uint32_t>(paper.height()));
  for (const int value : {1, 0, 0, 0, 0}) head.push_back(static_cast<std::byte>(value));
  append_chunk(out, "IHDR", head);
  append_chunk(out, "IDAT", rows);
  append_chunk(out, "IEND", {});
  return out;
}

Result<Bytes> encode_pdf(const Bitmap& paper) {
  TRY(const Bytes rows, deflate_rows(paper, false));
  const std::string width = points(paper.width()), height = points(paper.height());
  const std::string place = "q " + width + " 0 0 " + height + " 0 0 cm /P Do Q";
  Bytes out = to_bytes(std::string_view("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n"));
  std::vector<std::size_t> starts;
  const auto object = [&](const std::string& head, ByteView stream, bool has_stream) {
    starts.push_back(out.size());
    append(out, as_bytes(std::to_string(starts.size()) + " 0 obj\n" + head + "\n"));
    if (has_stream) {
      append(out, as_bytes("stream\n"));
      append(out, stream);
      append(out, as_bytes("\nendstream\n"));
    }
    append(out, as_bytes("endobj\n"));
  };
  object("<< /Type /Catalog /Pages 2 0 R >>", {}, false);
  object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>", {}, false);
  object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 " + width + " " + height +
             "] /Resources << /XObject << /P 5 0 R >> >> /Contents 4 0 R >>",
         {}, false);
  object("<< /Length " + std::to_string(place.size()) + " >>", as_bytes(place), true);
  object("<< /Type /XObject /Subtype /Image /Width " + std::to_string(paper.width()) + " /Height " +
             std::to_string(paper.height()) +
             " /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /FlateDecode /Length " +
             std::to_string(rows.size()) + " >>",
         rows, true);
  const std::size_t table = out.size();
  std::string end = "xref\n0 " + std::to_string(starts.size() + 1) + "\n0000000000 65535 f \n";
  for (const std::size_t start : starts) {
    std::array<char, 24> line{};
    std::snprintf(line.data(), line.size(), "%010zu 00000 n \n", start);
    end += line.data();
  }
  end += "trailer\n<< /Size " + std::to_string(starts.size() + 1) + " /Root 1 0 R >>\nstartxref\n" +
         std::to_string(table) + "\n%%EOF\n";
  append(out, as_bytes(end));
  return out;
}

}  // namespace posthorn::receipts
