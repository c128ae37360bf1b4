#include "api/notification/kinds.h"

// textMessage, extendedTextMessage, quotedMessage.
namespace posthorn::api {
namespace {

json::Value plain(const content::Text& kind) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "textMessage";
  out["textMessageData"]["textMessage"] = shown_text(kind.body);
  return out;
}

json::Value extended(const content::Text& kind, const Content& content) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "extendedTextMessage";
  json::Value& data = out["extendedTextMessageData"];
  data["text"] = shown_text(kind.body);
  data["description"] = shown_text(kind.preview->description);
  data["title"] = shown_text(kind.preview->title);
  data["previewType"] = "None";
  data["jpegThumbnail"] = base64_encode(kind.preview->thumbnail);
  show_forwarding(content, data);
  return out;
}

json::Value quoted(const content::Text& kind, const Quote& quote) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "quotedMessage";
  json::Value& data = out["extendedTextMessageData"];
  data["text"] = shown_text(kind.body);
  data["stanzaId"] = shown_text(quote.id);
  data["participant"] = shown_text(quote.participant);
  show_quote(quote, out);
  return out;
}

}  // namespace

std::optional<json::Value> show_message(const content::Text& kind, const Content& content) {
  if (content.quote) return quoted(kind, *content.quote);
  return kind.preview ? extended(kind, content) : plain(kind);
}

}  // namespace posthorn::api
