#include "api/notification/file.h"
#include "api/notification/kinds.h"

// What stands beside the data of a kind.
namespace posthorn::api {

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
  original["textMessage"] = shown_text(quote.text);
}

}  // namespace posthorn::api
