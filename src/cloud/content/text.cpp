#include "cloud/content/kinds.h"
#include "cloud/fields.h"

// {"body": "…", "preview_url": true}; {"message_id": "wamid.…", "emoji": "…"}.
namespace posthorn::cloud {
namespace {

constexpr std::size_t kBodyMax = 4096;
constexpr std::size_t kWamidMax = 512;
constexpr std::size_t kEmojiMax = 32;  // bytes: one emoji of several joined ones

}  // namespace

Result<Content::What> parse_text(const json::Value& object) {
  content::Text kind;
  TRY(kind.body, required_text_in(object, "body", "text", kBodyMax));
  TRY(kind.link_preview, flag_in(object, "preview_url", "text"));
  return Content::What(std::move(kind));
}

Result<ReactionAsked> parse_reaction(const json::Value& object) {
  ReactionAsked out;
  TRY(out.target, required_text_in(object, "message_id", "reaction", kWamidMax));
  TRY(out.reaction.emoji, text_in(object, "emoji", "reaction", kEmojiMax));
  const std::string& emoji = out.reaction.emoji;
  const bool word = !emoji.empty() && static_cast<unsigned char>(emoji.front()) < 0x80 &&
                    emoji.find("\xE2\x83\xA3") == std::string::npos;  // "1" in a box is one
  if (word || emoji.size() > kEmojiMax) return bad("reaction", "emoji", "must be one emoji");
  return out;
}

}  // namespace posthorn::cloud
