#include "api/file_kind.h"

#include "posthorn/base/media_type.h"

namespace posthorn::api {
namespace {

using Kind = content::File::Kind;

constexpr std::string_view kUnknown = "application/octet-stream";
constexpr std::uint64_t kLargestPicture = std::uint64_t{16} << 20;
constexpr std::uint64_t kLargestVideo = std::uint64_t{64} << 20;

std::string_view family(std::string_view type) { return type.substr(0, type.find('/')); }

/// The name's ending decides, unless the bytes are something else.
std::string type_by(std::string_view name, std::string_view said, std::string_view detected) {
  std::string type(media_type_of(name));
  if (type.empty()) type = said.substr(0, said.find_first_of("; "));
  const bool known = detected != kUnknown && !detected.empty();
  if (type.empty() || type == kUnknown) return std::string(known ? detected : kUnknown);
  // An Ogg may hold anything, a ZIP a text document: there the name knows more.
  const bool picture = family(type) == "image" || family(type) == "video";
  if (picture && known && family(detected) != family(type)) return std::string(detected);
  return type;
}

bool is_opus(ByteView beginning) {
  return as_text(beginning).find("OpusHead") != std::string_view::npos;
}

Kind kind_of(std::string_view type, const files::File& stored, ByteView beginning) {
  const bool bytes_agree = family(stored.type) == family(type);
  if (type == "image/jpeg" || type == "image/png" || type == "image/webp") {
    return bytes_agree && stored.size <= kLargestPicture ? Kind::image : Kind::document;
  }
  if (type == "video/mp4" || type == "video/3gpp" || type == "video/quicktime") {
    return bytes_agree && stored.size <= kLargestVideo ? Kind::video : Kind::document;
  }
  if (type == "audio/ogg") {
    return is_opus(beginning) ? Kind::voice : stored.type == type ? Kind::audio : Kind::document;
  }
  const bool audio = type == "audio/mpeg" || type == "audio/wav" || type == "audio/mp4" ||
                     type == "audio/aac" || type == "audio/amr";
  return audio && stored.size <= kLargestPicture ? Kind::audio : Kind::document;
}

}  // namespace

content::File describe_file(const files::File& stored, std::string_view name,
                            std::string_view said_type, ByteView beginning) {
  content::File file;
  file.ref = stored.ref;
  file.size = stored.size;
  file.mime = type_by(name, said_type, stored.type);
  file.kind = kind_of(file.mime, stored, beginning);
  if (file.kind == Kind::voice) file.mime = "audio/ogg; codecs=opus";
  file.name = file_name_in(name);
  if (file.name.empty()) file.name = "file." + std::string(ending_of(file.mime));
  return file;
}

}  // namespace posthorn::api
