#include "api/notification/kinds.h"

// locationMessage, contactMessage, contactsArrayMessage. A live location is shown as the place
// where somebody is now: Green-API has no form of its own for it.
namespace posthorn::api {
namespace {

json::Value card_of(const content::Contacts::Card& card) {
  json::Value out(::Json::objectValue);
  out["displayName"] = shown_text(card.name);
  out["vcard"] = shown_text(card.vcard);
  return out;
}

}  // namespace

std::optional<json::Value> show_message(const content::Location& kind, const Content& content) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "locationMessage";
  json::Value& data = out["locationMessageData"];
  data["nameLocation"] = shown_text(kind.name);
  data["address"] = shown_text(kind.address);
  data["jpegThumbnail"] = base64_encode(kind.thumbnail);
  data["latitude"] = kind.latitude;
  data["longitude"] = kind.longitude;
  show_forwarding(content, data);
  return out;
}

std::optional<json::Value> show_message(const content::Contacts& kind, const Content& content) {
  json::Value out(::Json::objectValue);
  if (!kind.list && kind.cards.size() == 1) {
    out["typeMessage"] = "contactMessage";
    out["contactMessageData"] = card_of(kind.cards.front());
    show_forwarding(content, out["contactMessageData"]);
    return out;
  }
  out["typeMessage"] = "contactsArrayMessage";
  json::Value& data = out["messageData"];
  data["contacts"] = json::Value(::Json::arrayValue);
  for (const auto& card : kind.cards) data["contacts"].append(card_of(card));
  show_forwarding(content, data);
  return out;
}

}  // namespace posthorn::api
