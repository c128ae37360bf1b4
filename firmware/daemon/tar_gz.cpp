#include "daemon/tar_gz.h"

#include <zlib.h>

#include <array>
#include <cstdio>
#include <cstring>

namespace posthorn::daemon {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameAtMost = 99;
/// deflateInit2: 15 bits of window, 16 more for gzip's frame.
constexpr int kGzip = 15 + 16;

/// The header of one file: fields as octal text at fixed places.
std::string header(const std::string& name, std::size_t size, std::int64_t modified) {
  std::string block(kBlock, '\0');
  const auto put = [&block](std::size_t at, const std::string& text) {
    block.replace(at, text.size(), text);
  };
  const auto octal = [](std::uint64_t value, int digits) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%0*llo", digits,
                  static_cast<unsigned long long>(value));
    return std::string(text.data());
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(size, 11));
  put(136, octal(static_cast<std::uint64_t>(std::max<std::int64_t>(modified, 0)), 11));
  put(148, "        ");  // the checksum counts as spaces while it is made
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6));
  block[154] = '\0';
  return block;
}

Result<std::string> gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return fail(Errc::io, "zlib does not start");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return fail(Errc::io, "zlib does not end");
  return out;
}

}  // namespace

Result<std::string> make_tar_gz(const NamedTexts& files, Wall modified) {
  std::string tar;
  for (const auto& [name, text] : files) {
    if (name.empty() || name.size() > kNameAtMost) return fail(Errc::malformed, "name: " + name);
    tar += header(name, text.size(), modified.unix_seconds());
    tar += text;
    tar.append((kBlock - text.size() % kBlock) % kBlock, '\0');
  }
  tar.append(2 * kBlock, '\0');
  return gzip(tar);
}

}  // namespace posthorn::daemon
