#pragma once

#include <cstddef>
#include <string>

#include "posthorn/base/json.h"

namespace posthorn::api {

/// What stands behind a text that was too long for the box.
inline constexpr std::string_view kCutMark = " … [cut: too long for the box]";

/// The one door of every notification: its JSON, always valid UTF-8 (U+FFFD where a phone sent
/// bytes that are none) and at most `limit_bytes` long, 2048 at least. What is too long loses its
/// thumbnails first, then the ends of its longest texts, which are marked, then the ends of its
/// lists: a notification that the inbox cannot take would come again for ever.
[[nodiscard]] std::string to_record(const json::Value& notification, std::size_t limit_bytes);

}  // namespace posthorn::api
