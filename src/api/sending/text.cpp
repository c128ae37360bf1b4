#include "api/errors.h"
#include "api/fields.h"
#include "api/http_url.h"
#include "api/sending/kinds.h"
#include "api/utf8.h"
#include "posthorn/base/links.h"

// sendMessage.
namespace posthorn::api {
namespace {

constexpr std::size_t kTextMax = 20'000;
constexpr std::size_t kTitleMax = 300;
constexpr std::size_t kDescriptionMax = 1000;
/// What WhatsApp's own apps put into a message.
constexpr std::size_t kThumbnailMax = std::size_t{64} << 10;

Result<std::string> bounded(const json::Value& card, const char* name, std::size_t most) {
  TRY(const auto text, optional_text(card, name));
  if (text && code_points(*text) > most) {
    return invalid(
        name, "length must be less than or equal to " + std::to_string(most) + " characters long");
  }
  return text.value_or("");
}

Result<std::string> optional_url(const json::Value& card, const char* name) {
  TRY(const auto url, optional_text(card, name));
  if (url && !url->empty() && !is_http_url(*url)) {
    return invalid(name, "must be a valid uri with a scheme matching the http|https pattern");
  }
  return url.value_or("");
}

Result<Bytes> parse_thumbnail(const json::Value& card) {
  TRY(auto text, optional_text(card, "jpegThumbnail"));
  if (!text || text->empty()) return Bytes{};
  if (const std::size_t comma = text->find(";base64,"); text->starts_with("data:")) {
    if (comma != std::string::npos) text->erase(0, comma + 8);
  }
  auto bytes = base64_decode(*text);
  if (!bytes) return invalid("jpegThumbnail", "must be the picture in base64");
  if (!as_text(*bytes).starts_with("\xFF\xD8\xFF")) {
    return invalid("jpegThumbnail", "must be a JPEG");
  }
  if (bytes->size() > kThumbnailMax) return invalid("jpegThumbnail", "must have at most 64 KiB");
  return std::move(*bytes);
}

/// customPreview: what the till says instead of the page.
Result<std::optional<content::Preview>> parse_card(const json::Value& body,
                                                   const std::string& text) {
  const json::Value& card = json::at(body, "customPreview");
  if (card.isNull()) return std::optional<content::Preview>();
  if (!card.isObject()) return invalid("customPreview", "must be of type object");
  content::Preview preview;
  TRY(required_text(card, "title"));
  TRY(preview.title, bounded(card, "title", kTitleMax));
  TRY(preview.description, bounded(card, "description", kDescriptionMax));
  TRY(preview.url, optional_url(card, "link"));
  if (preview.url.empty()) preview.url = find_link(text);
  if (preview.url.empty()) {
    return invalid("customPreview",
                   "needs a link: put one into message, or say it in customPreview.link");
  }
  TRY(preview.picture, optional_url(card, "urlFile"));
  TRY(preview.thumbnail, parse_thumbnail(card));
  return std::optional(std::move(preview));
}

}  // namespace

Result<content::Text> parse_text(const json::Value& body, bool preview_unless_said) {
  if (!json::at(body, "message").isNull() && !json::at(body, "message").isString()) {
    return invalid("message", "must be a string");
  }
  content::Text kind;
  TRY(kind.body, required_text(body, "message"));
  if (code_points(kind.body) > kTextMax) {
    return invalid("message", "length must be less than or equal to 20000 characters long");
  }
  TRY(auto card, parse_card(body, kind.body));
  TRY(const auto preview, optional_bool(body, "linkPreview"));
  kind.link_preview = preview.value_or(preview_unless_said || card.has_value());
  TRY(const auto size, optional_text(body, "typePreview"));
  if (size && !size->empty() && *size != "large" && *size != "small") {
    return invalid("typePreview", "must be one of [large, small]");
  }
  kind.large_preview = kind.link_preview && size == "large";
  if (kind.link_preview) kind.preview = std::move(card);
  return kind;
}

void show_request(const content::Text& kind, json::Value& item) {
  item["type"] = "sendMessage";
  json::Value& body = item["body"];
  body["message"] = kind.body;
  if (!kind.link_preview) body["linkPreview"] = false;
  if (kind.large_preview) body["typePreview"] = "large";
  if (!kind.preview) return;
  json::Value& card = body["customPreview"];
  card["title"] = kind.preview->title;
  if (!kind.preview->description.empty()) card["description"] = kind.preview->description;
  card["link"] = kind.preview->url;
  if (!kind.preview->picture.empty()) card["urlFile"] = kind.preview->picture;
}

}  // namespace posthorn::api
