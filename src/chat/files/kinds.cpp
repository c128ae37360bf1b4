#include "chat/files/kinds.h"

namespace posthorn::chat {

const MediaGroup& media_group(content::File::Kind kind) {
  using Kind = content::File::Kind;
  static constexpr MediaGroup kImage{"image", "WhatsApp Image Keys"};
  static constexpr MediaGroup kVideo{"video", "WhatsApp Video Keys"};
  static constexpr MediaGroup kAudio{"audio", "WhatsApp Audio Keys"};
  static constexpr MediaGroup kDocument{"document", "WhatsApp Document Keys"};
  switch (kind) {
    case Kind::image:
    case Kind::sticker:
      return kImage;
    case Kind::video:
    case Kind::gif:
    case Kind::video_note:
      return kVideo;
    case Kind::audio:
    case Kind::voice:
      return kAudio;
    case Kind::document:
      return kDocument;
  }
  return kDocument;
}

const MediaGroup& link_media_group() {
  static constexpr MediaGroup kLink{"thumbnail-link", "WhatsApp Link Thumbnail Keys"};
  return kLink;
}

}  // namespace posthorn::chat
