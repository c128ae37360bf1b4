#include "posthorn/pictures/thumbnail.h"

#include <array>
#include <string_view>

#include "pictures/formats.h"

namespace posthorn::pictures {
namespace {

Result<Thumbnail> read_picture(const File& file) {
  if (!file) return fail(Errc::io, "the file cannot be read");
  std::array<char, 12> beginning{};
  const std::size_t got = std::fread(beginning.data(), 1, beginning.size(), file.get());
  if (std::fseek(file.get(), 0, SEEK_SET) != 0) return fail(Errc::io, "the file cannot be read");
  const std::string_view text(beginning.data(), got);
  if (text.starts_with("\xFF\xD8\xFF")) return read_jpeg(file.get());
  if (text.starts_with("\x89PNG")) return read_png(file.get());
  if (text.starts_with("RIFF") && text.ends_with("WEBP")) return read_webp(file.get());
  return fail(Errc::unsupported, "not a picture that is read here");
}

}  // namespace

Result<Thumbnail> make_thumbnail(const std::string& path) {
  return read_picture(File(std::fopen(path.c_str(), "rbe")));
}

Result<Thumbnail> make_thumbnail(ByteView bytes) {
  if (bytes.empty()) return fail(Errc::unsupported, "not a picture that is read here");
  // fmemopen() takes memory that may be written to; opened for reading it writes nothing.
  return read_picture(File(::fmemopen(const_cast<std::byte*>(bytes.data()), bytes.size(), "rb")));
}

}  // namespace posthorn::pictures
