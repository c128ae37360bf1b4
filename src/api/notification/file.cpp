#include "api/notification/file.h"

#include "posthorn/api/file_links.h"

// imageMessage, videoMessage, audioMessage, documentMessage, stickerMessage.
namespace posthorn::api {
std::string_view type_of(content::File::Kind kind) {
  using Kind = content::File::Kind;
  switch (kind) {
    case Kind::image:
      return "imageMessage";
    case Kind::video:
    case Kind::gif:
    case Kind::video_note:
      return "videoMessage";
    case Kind::audio:
    case Kind::voice:
      return "audioMessage";
    case Kind::document:
      return "documentMessage";
    case Kind::sticker:
      return "stickerMessage";
  }
  return "documentMessage";
}

void show_file(const content::File& file, json::Value& out) {
  out["downloadUrl"] = file.link;
  out["caption"] = shown_text(file.caption);
  out["fileName"] = shown_text(shown_file_name(file));
  // Of a sticker it is a PNG, which the field's name rules out.
  const bool jpeg = file.kind != content::File::Kind::sticker;
  out["jpegThumbnail"] = jpeg ? base64_encode(file.thumbnail) : std::string();
  out["isAnimated"] = file.animated;
  out["mimeType"] = shown_text(file.mime);
}

std::optional<json::Value> show_message(const content::File& kind, const Content& content) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = std::string(type_of(kind.kind));
  json::Value& data = out["fileMessageData"];
  show_file(kind, data);
  show_forwarding(content, data);
  return out;
}

}  // namespace posthorn::api
