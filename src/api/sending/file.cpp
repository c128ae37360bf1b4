#include "api/sending/kinds.h"

// sendFileByUrl and sendFileByUpload: both are shown as the former, with the link under which the
// box serves the file.
namespace posthorn::api {

void show_request(const content::File& kind, json::Value& item) {
  item["type"] = "sendFileByUrl";
  item["body"]["urlFile"] = kind.link;
  item["body"]["fileName"] = kind.name;
  if (!kind.caption.empty()) item["body"]["caption"] = kind.caption;
}

}  // namespace posthorn::api
