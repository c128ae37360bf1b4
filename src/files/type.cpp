#include "files/type.h"

#include <algorithm>
#include <array>

namespace posthorn::files {

namespace {

struct Row {
  std::string_view type;
  std::string_view suffix;  ///< stored in names: do not change
  std::size_t at;
  std::string_view magic;
  std::string_view also_at_8;  ///< "": nothing more
};

/// First match wins. From the formats' own documents.
constexpr std::array<Row, 17> kRows{{
    {"image/jpeg", "jpg", 0, "\xFF\xD8\xFF", ""},
    {"image/png", "png", 0, "\x89PNG\r\n\x1A\n", ""},
    {"image/gif", "gif", 0, "GIF8", ""},
    {"image/webp", "webp", 0, "RIFF", "WEBP"},
    {"audio/wav", "wav", 0, "RIFF", "WAVE"},
    {"application/pdf", "pdf", 0, "%PDF-", ""},
    {"application/zip", "zip", 0, "PK\x03\x04", ""},  // also docx, xlsx and the like
    {"application/gzip", "gz", 0, "\x1F\x8B\x08", ""},
    {"audio/ogg", "ogg", 0, "OggS", ""},
    {"audio/mpeg", "mp3", 0, "ID3", ""},
    {"audio/aac", "aac", 0, "\xFF\xF1", ""},
    {"audio/mpeg", "mp3", 0, "\xFF\xFB", ""},
    {"audio/amr", "amr", 0, "#!AMR", ""},
    {"video/quicktime", "mov", 4, "ftypqt", ""},
    {"video/mp4", "mp4", 4, "ftyp", ""},
    {"application/vnd.rauc", "raucb", 0, "hsqs", ""},
    {"application/vnd.posthorn.backup", "backup", 0, "POSTHORN", ""},
}};
constexpr std::string_view kUnknown = "application/octet-stream";
constexpr std::string_view kUnknownSuffix = "bin";

}  // namespace

std::string_view detect_type(ByteView beginning) {
  const std::string_view text = as_text(beginning);
  for (const Row& row : kRows) {
    if (text.size() < row.at || !text.substr(row.at).starts_with(row.magic)) continue;
    if (!row.also_at_8.empty() && (text.size() < 8 || !text.substr(8).starts_with(row.also_at_8))) {
      continue;
    }
    return row.type;
  }
  return kUnknown;
}

std::string_view suffix_of(std::string_view type) {
  const auto* row =
      std::find_if(kRows.begin(), kRows.end(), [type](const Row& one) { return one.type == type; });
  return row != kRows.end() ? row->suffix : kUnknownSuffix;
}

std::string_view type_of_suffix(std::string_view suffix) {
  const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                 [suffix](const Row& one) { return one.suffix == suffix; });
  return row != kRows.end() ? row->type : kUnknown;
}

}  // namespace posthorn::files
