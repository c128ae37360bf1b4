#include "posthorn/base/media_type.h"
#include "posthorn/base/ascii.h"

#include <algorithm>
#include <array>

namespace posthorn {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::string_view kUnknownEnding = "bin";

struct Row {
  std::string_view ending;
  std::string_view type;
};

/// The first row of a type has the ending that is used for it. From IANA's registry.
constexpr std::array<Row, 40> kRows{{
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"png", "image/png"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"heic", "image/heic"},
    {"svg", "image/svg+xml"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"bmp", "image/bmp"},
    {"mp4", "video/mp4"},
    {"m4v", "video/mp4"},
    {"3gp", "video/3gpp"},
    {"mov", "video/quicktime"},
    {"webm", "video/webm"},
    {"avi", "video/x-msvideo"},
    {"ogg", "audio/ogg"},
    {"oga", "audio/ogg"},
    {"opus", "audio/ogg"},
    {"mp3", "audio/mpeg"},
    {"m4a", "audio/mp4"},
    {"aac", "audio/aac"},
    {"amr", "audio/amr"},
    {"wav", "audio/wav"},
    {"pdf", "application/pdf"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"txt", "text/plain"},
    {"csv", "text/csv"},
    {"html", "text/html"},
}};

}  // namespace

std::string_view ending_of(std::string_view media_type) {
  const std::string type = ascii_lower(media_type.substr(0, media_type.find_first_of("; ")));
  const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                 [&type](const Row& one) { return one.type == type; });
  return row != kRows.end() ? row->ending : kUnknownEnding;
}

std::string_view ending_in(std::string_view file_name) {
  const std::size_t dot = file_name.find_last_of("./\\");
  if (dot == std::string_view::npos || file_name[dot] != '.') return {};
  return file_name.substr(dot + 1);
}

std::string_view media_type_of(std::string_view file_name) {
  const std::string ending = ascii_lower(ending_in(file_name));
  const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                 [&ending](const Row& one) { return one.ending == ending; });
  return row != kRows.end() ? row->type : std::string_view();
}

std::string file_name_in(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  std::string name;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) name.push_back(c);
  }
  if (name.size() > kLongestName) {
    // The ending says what the file is, so it is the middle that goes.
    const std::string ending(ending_in(name));
    const std::size_t kept = ending.size() < 16 ? kLongestName - ending.size() - 1 : kLongestName;
    std::size_t cut = kept;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0U) == 0x80U) --cut;
    name.resize(cut);
    if (kept < kLongestName) name += "." + ending;
  }
  return name == "." || name == ".." ? std::string() : name;
}

}  // namespace posthorn
