#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/content.h"
#include "posthorn/base/json.h"

/// How a text status looks, in Green-API's words.
namespace posthorn::api {

/// WhatsApp's number of "SERIF" and its sisters; nullopt: no such font.
[[nodiscard]] std::optional<std::int32_t> status_font(std::string_view name);

/// backgroundColor, font and participants beside a text status in the journals; a font that
/// Green-API has no word for is shown as SANS_SERIF, which is what such phones fall back to.
/// data: messageData. audience: chatIds; empty: everybody.
void show_style(const content::TextStyle& style, const std::vector<std::string>& audience,
                json::Value& data);

}  // namespace posthorn::api
