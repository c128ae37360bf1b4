#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "cloud/content/kinds.h"
#include "cloud/fields.h"
#include "posthorn/base/phone_number.h"
#include "posthorn/base/vcard.h"

// [{"name": {"formatted_name": …}, "phones": [{"phone", "type", "wa_id"}], …}] and vCard 3.0
// (RFC 2426).
namespace posthorn::cloud {
namespace {

constexpr std::size_t kMost = 1000;  // characters of any part
constexpr unsigned kCardsMax = 257;  // as the real service takes them
constexpr unsigned kPartsMax = 20;
/// N and ADR, part by part; an address has a post box and a supplement first, which nobody names.
constexpr std::array kName{"last_name", "first_name", "middle_name", "prefix", "suffix"};
constexpr std::array kAddress{"", "", "street", "city", "state", "zip", "country"};

/// A type's word goes into a parameter, where only letters are safe.
std::string type_word(const std::string& type, const char* otherwise) {
  std::string out;
  for (const char c : type) {
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) out += c;
  }
  return out.empty() ? otherwise : out;
}

Result<std::string> part(const json::Value& object, const char* name, const std::string& where) {
  TRY(const std::string text, text_in(object, name, where, kMost));
  return vcard_value(text);
}

Result<std::string> name_line(const json::Value& name, const std::string& where) {
  std::string line = "N:";
  for (const char* key : kName) {
    TRY(const std::string text, part(name, key, where));
    line += text;
    if (key != kName.back()) line += ';';
  }
  return line + "\n";
}

Result<std::string> phone_lines(const json::Value& contact, const std::string& where) {
  std::string lines;
  TRY(const json::Value* list, list_in(contact, "phones", where, 0, kPartsMax));
  for (const json::Value& one : *list) {
    TRY(const std::string phone, part(one, "phone", where + ".phones"));
    TRY(std::string id, text_in(one, "wa_id", where + ".phones", kMost));
    TRY(const std::string type, text_in(one, "type", where + ".phones", kMost));
    if (id.empty()) id = parse_phone_number(phone).value_or("");
    const auto digits = parse_phone_number(id);
    lines += "TEL;type=" + type_word(type, "CELL") + (digits ? ";waid=" + *digits : "") + ":" +
             (phone.empty() ? "+" + id : phone) + "\n";
  }
  return lines;
}

Result<std::string> address_lines(const json::Value& contact, const std::string& where) {
  std::string lines;
  int count = 0;
  TRY(const json::Value* list, list_in(contact, "addresses", where, 0, kPartsMax));
  for (const json::Value& one : *list) {
    TRY(const std::string type, text_in(one, "type", where + ".addresses", kMost));
    const std::string item = "item" + std::to_string(++count) + ".";
    TRY(const std::string code, part(one, "country_code", where + ".addresses"));
    std::string line = "ADR;type=" + type_word(type, "HOME") + ":;";
    for (const char* key : {"street", "city", "state", "zip", "country"}) {
      TRY(const std::string text, part(one, key, where + ".addresses"));
      line += ";" + text;
    }
    lines += code.empty() ? line + "\n" : item + line + "\n" + item + "X-ABADR:" + code + "\n";
  }
  return lines;
}

/// EMAIL and URL.
Result<std::string> plain_lines(const json::Value& contact, const char* list_name,
                                const char* member, const char* property,
                                const std::string& where) {
  std::string lines;
  TRY(const json::Value* list, list_in(contact, list_name, where, 0, kPartsMax));
  for (const json::Value& one : *list) {
    TRY(const std::string value, part(one, member, where));
    TRY(const std::string type, text_in(one, "type", where, kMost));
    lines += std::string(property) + ";type=" + type_word(type, "HOME") + ":" + value + "\n";
  }
  return lines;
}

Result<std::string> work_lines(const json::Value& contact, const std::string& where) {
  std::string lines;
  const json::Value& org = json::at(contact, "org");
  TRY(const std::string company, part(org, "company", where + ".org"));
  TRY(const std::string department, part(org, "department", where + ".org"));
  TRY(const std::string title, part(org, "title", where + ".org"));
  if (!company.empty() || !department.empty()) {
    lines += "ORG:" + company + (department.empty() ? "" : ";" + department) + "\n";
  }
  if (!title.empty()) lines += "TITLE:" + title + "\n";
  TRY(const std::string birthday, part(contact, "birthday", where));
  if (!birthday.empty()) lines += "BDAY:" + birthday + "\n";
  return lines;
}

/// The parts of a value, between its semicolons, without escapes.
std::vector<std::string> parts_of(std::string_view value) {
  std::vector<std::string> parts(1);
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] == ';') {
      parts.emplace_back();
      continue;
    }
    const bool pair = value[at] == '\\' && at + 1 < value.size();
    if (!pair) {
      parts.back() += value[at];
      continue;
    }
    const char next = value[++at];
    parts.back() += next == 'n' || next == 'N' ? '\n' : next;
  }
  return parts;
}

/// One text; a semicolon that nobody escaped is one.
std::string unescaped(std::string_view value) {
  std::string out;
  for (const std::string& part : parts_of(value)) out += (out.empty() ? "" : ";") + part;
  return out;
}

/// Those that say something, under their names; "" names a part that has none.
template <std::size_t N>
void show_parts(std::string_view value, const std::array<const char*, N>& names, json::Value& out) {
  const std::vector<std::string> parts = parts_of(value);
  for (std::size_t i = 0; i < std::min(parts.size(), N); ++i) {
    const bool says = *names.at(i) != '\0' && !parts.at(i).empty();
    if (says) out[names.at(i)] = parts.at(i);
  }
}

/// "waid=4915550007777" among a property's parameters.
std::string wa_id_in(std::string_view parameters) {
  const std::size_t at = parameters.find("waid=");
  if (at == std::string_view::npos) return "";
  const std::string_view rest = parameters.substr(at + 5);
  return std::string(rest.substr(0, rest.find(';')));
}

std::string type_in(std::string_view parameters, const char* otherwise) {
  std::string lower;
  for (const char c : parameters) {
    lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  const std::size_t at = lower.find("type=");
  if (at == std::string::npos) return otherwise;
  std::string_view rest = parameters.substr(at + 5);
  rest = rest.substr(0, rest.find_first_of(";,"));
  return rest.empty() ? otherwise : std::string(rest);
}

/// A line of the list that has several: TEL, EMAIL, URL, ADR.
void show_entry(std::string_view property, std::string_view parameters, std::string_view value,
                json::Value& out) {
  json::Value one;
  one["type"] = type_in(parameters, property == "TEL" ? "CELL" : "HOME");
  if (property == "TEL") {
    one["phone"] = unescaped(value);
    if (const std::string id = wa_id_in(parameters); !id.empty()) one["wa_id"] = id;
    out["phones"].append(std::move(one));
  } else if (property == "EMAIL") {
    one["email"] = unescaped(value);
    out["emails"].append(std::move(one));
  } else if (property == "URL") {
    one["url"] = unescaped(value);
    out["urls"].append(std::move(one));
  } else if (property == "ADR") {
    show_parts(value, kAddress, one);
    out["addresses"].append(std::move(one));
  }
}

void show_line(std::string_view property, std::string_view parameters, std::string_view value,
               json::Value& out) {
  if (property == "ORG") {
    show_parts(value, std::array{"company", "department"}, out["org"]);
    if (out["org"].isNull()) out.removeMember("org");
  } else if (property == "TITLE") {
    out["org"]["title"] = unescaped(value);
  } else if (property == "BDAY") {
    out["birthday"] = unescaped(value);
  } else if (property == "N") {
    show_parts(value, kName, out["name"]);
  } else if (property == "X-ABADR") {
    // Phones write an address's country behind it.
    if (!out.isMember("addresses")) return;
    json::Value& list = out["addresses"];
    list[list.size() - 1]["country_code"] = unescaped(value);
  } else {
    show_entry(property, parameters, value, out);
  }
}

}  // namespace

Result<content::Contacts::Card> parse_card(const json::Value& contact, const std::string& where) {
  TRY(const json::Value* name, required_object_in(contact, "name", where));
  content::Contacts::Card card;
  TRY(card.name, required_text_in(*name, "formatted_name", where + ".name", kMost));
  std::string& out = card.vcard;
  out = "BEGIN:VCARD\nVERSION:3.0\n";
  TRY(const std::string names, name_line(*name, where + ".name"));
  TRY(const std::string phones, phone_lines(contact, where));
  TRY(const std::string emails, plain_lines(contact, "emails", "email", "EMAIL", where));
  TRY(const std::string urls, plain_lines(contact, "urls", "url", "URL", where));
  TRY(const std::string addresses, address_lines(contact, where));
  TRY(const std::string work, work_lines(contact, where));
  out += names + "FN:" + vcard_value(card.name) + "\n" + work + phones + emails + urls + addresses;
  out += "END:VCARD";
  return card;
}

Result<Content::What> parse_contacts(const json::Value& message) {
  content::Contacts kind;
  TRY(const json::Value* list, list_in(message, "contacts", "", 1, kCardsMax));
  for (::Json::ArrayIndex i = 0; i < list->size(); ++i) {
    const std::string where = "contacts[" + std::to_string(i) + "]";
    TRY(auto card, parse_card((*list)[i], where));
    kind.cards.push_back(std::move(card));
  }
  kind.list = kind.cards.size() > 1;
  return Content::What(std::move(kind));
}

json::Value contact_of_vcard(const std::string& name, const std::string& vcard) {
  json::Value out(::Json::objectValue);
  out["name"]["formatted_name"] = name;
  std::istringstream lines(vcard);
  constexpr int kLinesMax = 200;
  int count = 0;
  for (std::string line; std::getline(lines, line) && count < kLinesMax; ++count) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view head = std::string_view(line).substr(0, colon);
    const std::size_t end = head.find(';');
    std::string_view property = head.substr(0, end);
    // "item1.TEL": phones group a number with its label.
    if (const std::size_t dot = property.find('.'); dot != std::string_view::npos) {
      property.remove_prefix(dot + 1);
    }
    const std::string_view parameters = end == std::string_view::npos ? "" : head.substr(end + 1);
    show_line(property, parameters, std::string_view(line).substr(colon + 1), out);
  }
  return out;
}

}  // namespace posthorn::cloud
