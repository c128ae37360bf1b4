#include "api/notification/kinds.h"

// groupInviteMessage; and what changes a chat without saying anything in it. For pins, timers and
// the heads of albums Green-API has no form, and a bot would answer a text.
namespace posthorn::api {

std::optional<json::Value> show_message(const content::GroupInvite& kind, const Content&) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "groupInviteMessage";
  json::Value& data = out["groupInviteMessageData"];
  data["groupJid"] = shown_text(kind.group);
  data["inviteCode"] = shown_text(kind.code);
  data["inviteExpiration"] = std::to_string(kind.expires);
  data["groupName"] = shown_text(kind.name);
  data["caption"] = shown_text(kind.caption);
  data["name"] = shown_text(kind.name);
  data["jpegThumbnail"] = base64_encode(kind.thumbnail);
  return out;
}

std::optional<json::Value> show_message(const content::Pin&, const Content&) {
  return std::nullopt;
}

std::optional<json::Value> show_message(const content::Timer&, const Content&) {
  return std::nullopt;
}

std::optional<json::Value> show_message(const content::Album&, const Content&) {
  return std::nullopt;
}

}  // namespace posthorn::api
