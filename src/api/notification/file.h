#pragma once

#include <string_view>

#include "api/notification/kinds.h"

namespace posthorn::api {

/// Green-API's typeMessage: "imageMessage".
[[nodiscard]] std::string_view type_of(content::File::Kind kind);
/// downloadUrl, caption, fileName, jpegThumbnail, mimeType and isAnimated: the same in
/// fileMessageData and in a quote.
void show_file(const content::File& file, json::Value& out);

}  // namespace posthorn::api
