#include "api/sending/kinds.h"

// sendReaction: Green-API has no method for it, this is the box's own. What it answers is shown
// with every job that quotes something.
namespace posthorn::api {

void show_request(const content::Reaction& kind, json::Value& item) {
  item["type"] = "sendReaction";
  item["body"]["reaction"] = kind.emoji;
}

}  // namespace posthorn::api
