#pragma once

#include <string_view>

#include "posthorn/base/content.h"

namespace posthorn::chat {

/// How files of one group are encrypted and where they go. Source: chapter 08 section 2.
struct MediaGroup {
  std::string_view name;  ///< part of the upload's path: "image"
  std::string_view info;  ///< of the keys: "WhatsApp Image Keys"
};
[[nodiscard]] const MediaGroup& media_group(content::File::Kind kind);
/// Of the large pictures that stand above links.
[[nodiscard]] const MediaGroup& link_media_group();

}  // namespace posthorn::chat
