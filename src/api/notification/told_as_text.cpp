#include "api/notification/kinds.h"
#include "posthorn/base/time.h"

// What Green-API has no form for but somebody said to the shop: told as a text that begins with
// what it is, in brackets, for people and for a till that looks at the first character.
namespace posthorn::api {
namespace {

json::Value told(const std::string& text) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "textMessage";
  out["textMessageData"]["textMessage"] = shown_text(text);
  return out;
}

/// "12.50 EUR"
std::string money(std::int64_t thousandths, const std::string& currency) {
  const std::int64_t cents = thousandths / 10;
  std::string fraction = std::to_string(cents < 0 ? -(cents % 100) : cents % 100);
  if (fraction.size() < 2) fraction.insert(0, "0");
  const std::string sign = cents < 0 && cents > -100 ? "-" : "";
  return sign + std::to_string(cents / 100) + "." + fraction +
         (currency.empty() ? "" : " " + currency);
}

void add(std::string& text, const char* before, const std::string& more) {
  if (!more.empty()) text += before + more;
}

}  // namespace

std::optional<json::Value> show_message(const content::Order& kind, const Content&) {
  std::string text = "[Order]";
  add(text, " ", kind.title);
  text += ": " + std::to_string(kind.items) + (kind.items == 1 ? " item" : " items");
  if (kind.total_1000 != 0) text += ", " + money(kind.total_1000, kind.currency);
  add(text, ", order ", kind.id);
  add(text, "\n", kind.message);
  return told(text);
}

std::optional<json::Value> show_message(const content::Product& kind, const Content&) {
  std::string text = "[Product]";
  add(text, " ", kind.title);
  if (kind.price_1000 != 0) text += ", " + money(kind.price_1000, kind.currency);
  add(text, ", product ", kind.id);
  add(text, "\n", kind.url);
  add(text, "\n", kind.body);
  return told(text);
}

std::optional<json::Value> show_message(const content::Event& kind, const Content&) {
  std::string text = kind.cancelled ? "[Event cancelled] " : "[Event] ";
  text += kind.name;
  if (kind.starts > 0) text += "\n" + to_iso8601(Wall::from_unix(kind.starts));
  if (kind.starts > 0 && kind.ends > 0) text += " - " + to_iso8601(Wall::from_unix(kind.ends));
  add(text, "\n", kind.place);
  add(text, "\n", kind.link);
  add(text, "\n", kind.description);
  return told(text);
}

}  // namespace posthorn::api
