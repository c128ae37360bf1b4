#include "base/content_kinds.h"

// Places and people's cards.
namespace posthorn::stored {

std::string text_at(const json::Value& in, const char* name) {
  return json::string_at(in, name).value_or("");
}

const std::string* readable(const content::Location&) { return nullptr; }

int store(const content::Location& kind, json::Value& out) {
  json::Value& place = out["location"];
  place["latitude"] = kind.latitude;
  place["longitude"] = kind.longitude;
  if (!kind.name.empty()) place["name"] = kind.name;
  if (!kind.address.empty()) place["address"] = kind.address;
  return kLocation;
}

Content::What restore_location(const json::Value& in) {
  const json::Value& place = json::at(in, "location");
  content::Location kind;
  kind.latitude = json::double_of(json::at(place, "latitude")).value_or(0);
  kind.longitude = json::double_of(json::at(place, "longitude")).value_or(0);
  kind.name = text_at(place, "name");
  kind.address = text_at(place, "address");
  return kind;
}

const std::string* readable(const content::Contacts&) { return nullptr; }

int store(const content::Contacts& kind, json::Value& out) {
  json::Value& cards = out["cards"];
  cards = json::Value(::Json::arrayValue);
  for (const content::Contacts::Card& card : kind.cards) {
    json::Value one;
    one["name"] = card.name;
    one["vcard"] = card.vcard;
    cards.append(std::move(one));
  }
  if (kind.list) out["list"] = true;
  return kContacts;
}

Content::What restore_contacts(const json::Value& in) {
  content::Contacts kind;
  for (const json::Value& card : json::at(in, "cards")) {
    kind.cards.push_back({text_at(card, "name"), text_at(card, "vcard")});
  }
  kind.list = json::bool_at(in, "list").value_or(false);
  return kind;
}

}  // namespace posthorn::stored
