#include "chat/content/kinds.h"

// conversation and extendedTextMessage: a text, plain or with what belongs to it.
namespace posthorn::chat {
namespace {

constexpr std::size_t kMostThumbnail = std::size_t{64} << 10;

constexpr std::uint32_t kWhite = 0xFFFF'FFFF;

/// Source: chapter 07 section 3, chapter 08 section 8.
void write_preview(const content::Text& kind, wa::Message::ExtendedTextMessage& extended) {
  const content::Preview& preview = *kind.preview;
  extended.set_text(kind.body);
  extended.set_matchedtext(preview.url);
  extended.set_title(preview.title);
  if (!preview.description.empty()) extended.set_description(preview.description);
  extended.set_previewtype(0);
  if (!preview.thumbnail.empty()) extended.set_jpegthumbnail(to_string(preview.thumbnail));
  if (!preview.place) return;
  const content::MediaPlace& place = *preview.place;
  extended.set_thumbnaildirectpath(place.direct_path);
  extended.set_thumbnailsha256(to_string(place.sha256));
  extended.set_thumbnailencsha256(to_string(place.enc_sha256));
  extended.set_mediakey(to_string(place.key));
  extended.set_mediakeytimestamp(place.key_at);
  extended.set_thumbnailwidth(preview.width);
  extended.set_thumbnailheight(preview.height);
}

}  // namespace

bool read(const wa::Message& message, content::Text& kind, Beside&) {
  if (message.has_conversation()) {
    kind.body = message.conversation();
    return true;
  }
  if (!message.has_extendedtextmessage()) return false;
  const auto& extended = message.extendedtextmessage();
  kind.body = extended.text();
  kind.preview = content::Preview{extended.title(), extended.description(), extended.matchedtext()};
  if (extended.jpegthumbnail().size() <= kMostThumbnail) {
    kind.preview->thumbnail = to_bytes(as_bytes(extended.jpegthumbnail()));
  }
  if (extended.has_backgroundargb()) {
    kind.style = content::TextStyle{extended.backgroundargb(), extended.font()};
  }
  return true;
}

/// Plain, or with the preview that was found for it; it becomes extended when something stands
/// beside it.
Result<wa::Message> write(const content::Text& kind, const Outgoing&) {
  wa::Message message;
  if (kind.style) {
    auto& extended = *message.mutable_extendedtextmessage();
    extended.set_text(kind.body);
    extended.set_textargb(kWhite);
    extended.set_backgroundargb(kind.style->background);
    extended.set_font(kind.style->font);
    return message;
  }
  if (!kind.link_preview || !kind.preview || kind.preview->url.empty()) {
    message.set_conversation(kind.body);
    return message;
  }
  write_preview(kind, *message.mutable_extendedtextmessage());
  return message;
}

}  // namespace posthorn::chat
