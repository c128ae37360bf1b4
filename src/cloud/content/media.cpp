#include <algorithm>
#include <array>

#include "cloud/content/kinds.h"
#include "cloud/fields.h"

// {"id": "…" | "link": "https://…", "caption", "filename", "voice"}.
namespace posthorn::cloud {
namespace {

using Kind = content::File::Kind;

constexpr std::size_t kCaptionMax = 1024;
constexpr std::size_t kNameMax = 240;
constexpr std::size_t kLinkMax = 2048;

struct MediaType {
  std::string_view name;
  Kind kind;
  bool caption;
};
constexpr std::array kTypes{
    MediaType{"image", Kind::image, true},      MediaType{"audio", Kind::audio, false},
    MediaType{"video", Kind::video, true},      MediaType{"document", Kind::document, true},
    MediaType{"sticker", Kind::sticker, false},
};

const MediaType* find_type(std::string_view name) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [name](const MediaType& one) { return one.name == name; });
  return found == kTypes.end() ? nullptr : &*found;
}

bool is_http(const std::string& link) {
  const bool scheme = link.starts_with("http://") || link.starts_with("https://");
  return scheme && std::all_of(link.begin(), link.end(), [](char c) { return c > 0x20; });
}

}  // namespace

bool is_media_type(std::string_view type) { return find_type(type) != nullptr; }

Result<MediaAsked> parse_media(const json::Value& object, std::string_view type) {
  const MediaType* known = find_type(type);
  if (known == nullptr) return fail(Errc::unsupported, std::string(type));
  MediaAsked out;
  out.kind = known->kind;
  TRY(out.id, text_in(object, "id", type, kNameMax));
  TRY(out.link, text_in(object, "link", type, kLinkMax));
  if (out.id.empty() && out.link.empty()) return missing(type, "id or link");
  if (out.id.empty() && !is_http(out.link)) {
    return bad(type, "link", "must begin with https:// or http://");
  }
  TRY(std::string caption, text_in(object, "caption", type, kCaptionMax));
  if (known->caption) out.caption = std::move(caption);
  TRY(out.file_name, text_in(object, "filename", type, kNameMax));
  TRY(out.voice, flag_in(object, "voice", type));
  return out;
}

}  // namespace posthorn::cloud
