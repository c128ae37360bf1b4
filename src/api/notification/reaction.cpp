#include "api/notification/kinds.h"

// reactionMessage: the emoji where other kinds have their text, the message it is for as a quote.
namespace posthorn::api {

std::optional<json::Value> show_message(const content::Reaction& kind, const Content& content) {
  const Quote target = content.quote.value_or(Quote{});
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "reactionMessage";
  out["extendedTextMessageData"]["text"] = shown_text(kind.emoji);
  out["quotedMessage"]["stanzaId"] = shown_text(target.id);
  out["quotedMessage"]["participant"] = shown_text(target.participant);
  return out;
}

}  // namespace posthorn::api
