#include "api/sending/kinds.h"

// editMessage, deleteMessage: such a job would be shown as the request that Green-API documents.
namespace posthorn::api {

void show_request(const content::Edit& kind, json::Value& item) {
  item["type"] = "editMessage";
  item["body"]["idMessage"] = kind.target_id;
  item["body"]["message"] = kind.text;
}

void show_request(const content::Deletion& kind, json::Value& item) {
  item["type"] = "deleteMessage";
  item["body"]["idMessage"] = kind.target_id;
}

}  // namespace posthorn::api
