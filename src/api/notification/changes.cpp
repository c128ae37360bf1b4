#include "api/notification/kinds.h"

// editedMessage, deletedMessage.
namespace posthorn::api {

std::optional<json::Value> show_message(const content::Edit& kind, const Content&) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "editedMessage";
  out["editedMessageData"][kind.caption ? "caption" : "textMessage"] = shown_text(kind.text);
  out["editedMessageData"]["stanzaId"] = shown_text(kind.target_id);
  return out;
}

std::optional<json::Value> show_message(const content::Deletion& kind, const Content&) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "deletedMessage";
  out["deletedMessageData"]["stanzaId"] = shown_text(kind.target_id);
  return out;
}

}  // namespace posthorn::api
