#include <algorithm>

#include "api/errors.h"
#include "api/fields.h"
#include "api/sending/kinds.h"
#include "api/utf8.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/vcard.h"

// sendLocation, sendContact.
namespace posthorn::api {
namespace {

constexpr std::size_t kNameMax = 1000;

Result<std::string> short_text(const json::Value& object, const char* name) {
  TRY(const auto text, optional_text(object, name));
  if (text && code_points(*text) > kNameMax) {
    return invalid(name, "length must be less than or equal to 1000 characters long");
  }
  return text.value_or("");
}

Result<double> required_degrees(const json::Value& body, const char* name, double most) {
  TRY(const auto degrees, optional_number(body, name));
  if (!degrees) return invalid(name, "is required");
  if (*degrees < -most || *degrees > most) {
    const std::string limit = std::to_string(static_cast<int>(most));
    return invalid(name, "must be between -" + limit + " and " + limit);
  }
  return *degrees;
}

struct Person {
  std::string phone;  ///< digits
  std::string first, middle, last, company;
};

std::string full_name(const Person& person) {
  std::string name;
  for (const std::string* part : {&person.first, &person.middle, &person.last}) {
    if (part->empty()) continue;
    if (!name.empty()) name += ' ';
    name += *part;
  }
  return name.empty() ? person.company : name;
}

/// Source: chapter 07 section 5.3.
std::string vcard_of(const Person& person) {
  std::string card = "BEGIN:VCARD\nVERSION:3.0\nN:" + vcard_value(person.last) + ";" +
                     vcard_value(person.first) + ";" + vcard_value(person.middle) +
                     ";;\nFN:" + vcard_value(full_name(person)) + "\n";
  if (!person.company.empty()) card += "ORG:" + vcard_value(person.company) + "\n";
  card += "TEL;type=CELL;type=VOICE;waid=" + person.phone + ":+" + person.phone + "\nEND:VCARD";
  return card;
}

Result<Person> parse_person(const json::Value& contact) {
  Person person;
  TRY(const std::string phone, required_text(contact, "phoneContact"));
  const auto digits = parse_phone(phone);
  if (!digits) {
    return invalid("phoneContact",
                   "must be a phone number with its country code: " + digits.error().detail);
  }
  person.phone = *digits;
  TRY(person.first, short_text(contact, "firstName"));
  TRY(person.middle, short_text(contact, "middleName"));
  TRY(person.last, short_text(contact, "lastName"));
  TRY(person.company, short_text(contact, "company"));
  if (full_name(person).empty()) {
    return invalid("contact",
                   "must have at least one of firstName, middleName, lastName and company");
  }
  return person;
}

}  // namespace

Result<content::Location> parse_location(const json::Value& body) {
  content::Location kind;
  TRY(kind.latitude, required_degrees(body, "latitude", 90));
  TRY(kind.longitude, required_degrees(body, "longitude", 180));
  TRY(kind.name, short_text(body, "nameLocation"));
  TRY(kind.address, short_text(body, "address"));
  return kind;
}

void show_request(const content::Location& kind, json::Value& item) {
  item["type"] = "sendLocation";
  json::Value& body = item["body"];
  body["latitude"] = kind.latitude;
  body["longitude"] = kind.longitude;
  if (!kind.name.empty()) body["nameLocation"] = kind.name;
  if (!kind.address.empty()) body["address"] = kind.address;
}

Result<content::Contacts> parse_contact(const json::Value& body) {
  const json::Value& contact = json::at(body, "contact");
  if (contact.isNull()) return invalid("contact", "is required");
  if (!contact.isObject()) return invalid("contact", "must be of type object");
  TRY(const Person person, parse_person(contact));
  content::Contacts kind;
  kind.cards.push_back({full_name(person), vcard_of(person)});
  return kind;
}

/// What the till posted is kept beside the job; the card says the same.
void show_request(const content::Contacts& kind, json::Value& item) {
  item["type"] = "sendContact";
  if (kind.cards.empty()) return;
  item["body"]["contact"]["displayName"] = kind.cards.front().name;
  item["body"]["contact"]["vcard"] = kind.cards.front().vcard;
}

}  // namespace posthorn::api
