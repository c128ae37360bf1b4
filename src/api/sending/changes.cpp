#include "api/errors.h"
#include "api/fields.h"
#include "api/sending/kinds.h"
#include "api/utf8.h"

// editMessage, deleteMessage, and what else changes a chat.
namespace posthorn::api {
namespace {

constexpr std::size_t kTextMax = 20'000;

}  // namespace

Result<content::Edit> parse_edit(const json::Value& body) {
  content::Edit kind;
  TRY(std::string id, required_text(body, "idMessage"));
  TRY(kind.target_id, check_message_id(std::move(id)));
  TRY(kind.text, required_text(body, "message"));
  if (code_points(kind.text) > kTextMax) {
    return invalid("message", "length must be less than or equal to 20000 characters long");
  }
  return kind;
}

void show_request(const content::Edit& kind, json::Value& item) {
  item["type"] = "editMessage";
  item["body"]["idMessage"] = kind.target_id;
  item["body"]["message"] = kind.text;
}

void show_request(const content::Deletion& kind, json::Value& item) {
  item["type"] = "deleteMessage";
  item["body"]["idMessage"] = kind.target_id;
}

void show_request(const content::Timer& kind, json::Value& item) {
  item["type"] = "setDisappearingChat";
  item["body"]["ephemeralExpiration"] = kind.seconds;
}

// No method sends these: they only come in, or are passed on (forwardMessages).

void show_request(const content::GroupInvite&, json::Value&) {}

void show_request(const content::Pin&, json::Value&) {}

void show_request(const content::Album&, json::Value&) {}

void show_request(const content::Order&, json::Value&) {}

void show_request(const content::Product&, json::Value&) {}

void show_request(const content::Event&, json::Value&) {}

}  // namespace posthorn::api
