#include "api/notification/file.h"
#include "api/notification/kinds.h"
#include "posthorn/api/notification.h"

// What stands beside the data of a kind.
namespace posthorn::api {

namespace {

/// What items and quotes call the data of a notification; the others keep their name.
struct Renamed {
  const char* type;  ///< typeMessage
  const char* from;
  const char* to;
};
constexpr Renamed kRenamed[] = {
    {"locationMessage", "locationMessageData", "location"},
    {"contactMessage", "contactMessageData", "contact"},
};

/// What is quoted, when it is neither a text nor a file: as its own notification said it.
void show_original(const Content& content, json::Value& original) {
  const auto data = build_message_data(content);
  if (!data) return;
  original["typeMessage"] = json::at(*data, "typeMessage");
  show_data(*data, original);
  for (const std::string& name : original.getMemberNames()) {
    json::Value& part = original[name];
    if (!part.isObject()) continue;
    part.removeMember("forwardingScore");
    part.removeMember("isForwarded");
  }
}

}  // namespace

void show_data(const json::Value& data, json::Value& out) {
  const std::string type = json::string_at(data, "typeMessage").value_or("");
  for (const Renamed& one : kRenamed) {
    if (type == one.type) {
      out[one.to] = json::at(data, one.from);
      return;
    }
  }
  if (type == "textMessage") {
    out["textMessage"] = json::at(json::at(data, "textMessageData"), "textMessage");
    return;
  }
  if (type == "contactsArrayMessage") {
    out["contacts"] = json::at(json::at(data, "messageData"), "contacts");
    return;
  }
  for (const std::string& name : data.getMemberNames()) {
    if (name != "typeMessage" && name != "quotedMessage") out[name] = data[name];
  }
}

void show_forwarding(const Content& content, json::Value& data) {
  data["forwardingScore"] = content.forwarding_score;
  data["isForwarded"] = content.forwarded;
}

void show_quote(const Quote& quote, json::Value& message) {
  json::Value& original = message["quotedMessage"];
  original["stanzaId"] = shown_text(quote.id);
  original["participant"] = shown_text(quote.participant);
  if (quote.file) {
    original["typeMessage"] = std::string(type_of(quote.file->kind));
    show_file(*quote.file, original);
    return;
  }
  original["typeMessage"] = shown_text(quote.type_message);
  if (!quote.original.empty()) return show_original(quote.original.front(), original);
  original["textMessage"] = shown_text(quote.text);
}

}  // namespace posthorn::api
