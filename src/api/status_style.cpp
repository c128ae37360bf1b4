#include "api/status_style.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace posthorn::api {
namespace {

struct Font {
  std::string_view name;
  std::int32_t number;
};
// Source: WhatsApp's protobuf schema, ExtendedTextMessage.FontType of 2021.
constexpr std::array kFonts{Font{"SANS_SERIF", 0}, Font{"SERIF", 1}, Font{"NORICAN_REGULAR", 2},
                            Font{"BRYNDAN_WRITE", 3}, Font{"OSWALD_HEAVY", 5}};

std::string_view font_name(std::int32_t number) {
  const auto* font = std::find_if(kFonts.begin(), kFonts.end(),
                                  [number](const Font& one) { return one.number == number; });
  return font == kFonts.end() ? kFonts.front().name : font->name;
}

/// ARGB as "#228B22".
std::string colour_text(std::uint32_t argb) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%06X", argb & 0x00FF'FFFFU);
  return text.data();
}

}  // namespace

std::optional<std::int32_t> status_font(std::string_view name) {
  const auto* font = std::find_if(kFonts.begin(), kFonts.end(),
                                  [name](const Font& one) { return one.name == name; });
  return font == kFonts.end() ? std::nullopt : std::optional(font->number);
}

void show_style(const content::TextStyle& style, const std::vector<std::string>& audience,
                json::Value& data) {
  json::Value& text = data["extendedTextMessageData"];
  text["backgroundColor"] = colour_text(style.background);
  text["font"] = std::string(font_name(style.font));
  text["participants"] = json::Value(::Json::arrayValue);
  for (const std::string& chat : audience) text["participants"].append(chat);
}

}  // namespace posthorn::api
