#include <cmath>

#include "chat/content/kinds.h"

// locationMessage, liveLocationMessage, contactMessage, contactsArrayMessage (chapter 07 section
// 5.3). Of a live location each new place is a message of its own.
namespace posthorn::chat {
namespace {

constexpr int kMostCards = 257;  // the apps send at most 257 at once

double degrees(double value) { return std::isfinite(value) ? value : 0; }

Bytes bytes_of(const std::string& text) { return to_bytes(as_bytes(text)); }

void fill(const content::Contacts::Card& card, wa::Message::ContactMessage& contact) {
  contact.set_displayname(card.name);
  contact.set_vcard(card.vcard);
}

}  // namespace

bool read(const wa::Message& message, content::Location& kind, Beside&) {
  if (message.has_locationmessage()) {
    const auto& place = message.locationmessage();
    kind.latitude = degrees(place.degreeslatitude());
    kind.longitude = degrees(place.degreeslongitude());
    kind.name = place.name();
    kind.address = place.address();
    kind.thumbnail = bytes_of(place.jpegthumbnail());
    kind.live = place.islive();
    return true;
  }
  if (!message.has_livelocationmessage()) return false;
  const auto& place = message.livelocationmessage();
  kind.latitude = degrees(place.degreeslatitude());
  kind.longitude = degrees(place.degreeslongitude());
  kind.name = place.caption();
  kind.thumbnail = bytes_of(place.jpegthumbnail());
  kind.live = true;
  return true;
}

Result<wa::Message> write(const content::Location& kind, const Outgoing&) {
  if (kind.live) return fail(Errc::unsupported, "live locations are sent by phones only");
  wa::Message message;
  auto& place = *message.mutable_locationmessage();
  place.set_degreeslatitude(kind.latitude);
  place.set_degreeslongitude(kind.longitude);
  if (!kind.name.empty()) place.set_name(kind.name);
  if (!kind.address.empty()) place.set_address(kind.address);
  return message;
}

bool read(const wa::Message& message, content::Contacts& kind, Beside&) {
  if (message.has_contactmessage()) {
    const auto& contact = message.contactmessage();
    kind.cards.push_back({contact.displayname(), contact.vcard()});
    return true;
  }
  if (!message.has_contactsarraymessage()) return false;
  kind.list = true;
  for (const auto& contact : message.contactsarraymessage().contacts()) {
    if (kind.cards.size() == kMostCards) break;
    kind.cards.push_back({contact.displayname(), contact.vcard()});
  }
  return true;
}

Result<wa::Message> write(const content::Contacts& kind, const Outgoing&) {
  wa::Message message;
  if (!kind.list && kind.cards.size() == 1) {
    fill(kind.cards.front(), *message.mutable_contactmessage());
    return message;
  }
  if (kind.cards.empty()) return fail(Errc::unsupported, "there is no contact to send");
  auto& array = *message.mutable_contactsarraymessage();
  array.set_displayname(std::to_string(kind.cards.size()) + " contacts");
  for (const auto& card : kind.cards) fill(card, *array.add_contacts());
  return message;
}

}  // namespace posthorn::chat
