#include "api/errors.h"
#include "api/fields.h"
#include "api/sending/kinds.h"
#include "api/utf8.h"

// sendMessage.
namespace posthorn::api {
namespace {

constexpr std::size_t kTextMax = 20'000;

}  // namespace

Result<content::Text> parse_text(const json::Value& body) {
  if (!json::at(body, "message").isNull() && !json::at(body, "message").isString()) {
    return invalid("message", "must be a string");
  }
  content::Text kind;
  TRY(kind.body, required_text(body, "message"));
  if (code_points(kind.body) > kTextMax) {
    return invalid("message", "length must be less than or equal to 20000 characters long");
  }
  TRY(const auto preview, optional_bool(body, "linkPreview"));
  kind.link_preview = preview.value_or(true);
  return kind;
}

void show_request(const content::Text& kind, json::Value& item) {
  item["type"] = "sendMessage";
  item["body"]["message"] = kind.body;
  if (!kind.link_preview) item["body"]["linkPreview"] = false;
}

}  // namespace posthorn::api
