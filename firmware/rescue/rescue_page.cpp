#include "rescue/rescue_page.h"

#include "posthorn/base/json.h"

namespace posthorn::rescue {
namespace {

constexpr int kStatus = 503;
constexpr const char* kWhatToDo =
    "Start it again once. If that does not help: hold the button for 20 seconds and let go, or put "
    "an empty file new-data.txt on the partition POSTHORN of the card and start the box. It makes "
    "a new data partition; waiting messages and the phone's link on the old one are gone. Then "
    "posthornctl restore FILE brings a backup back, or the phone is linked anew. If it comes "
    "again, "
    "the card is worn out.";

/// Text between the tags of a page.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::size_t RescuePage::body_limit(const api::Request& /*head*/) const { return 0; }

void RescuePage::handle(api::Request request, api::Reply reply) {
  reply.send(request.path == "/" || request.path == "/index.html" ? page() : error(request.path));
}

api::Response RescuePage::page() const {
  const std::string body =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>Posthorn</title>"
      "<h1>This Posthorn box cannot use its data partition</h1><p>Why: " +
      escaped(reason_) +
      ".</p><p>It takes no messages and sends none; the till gets an error for each.</p><p>" +
      kWhatToDo + "</p></html>\n";
  return {.status = kStatus,
          .body = body,
          .content_type = "text/html; charset=utf-8",
          .headers = {{"Cache-Control", "no-store"}}};
}

api::Response RescuePage::error(const std::string& path) const {
  json::Value body(::Json::objectValue);
  body["statusCode"] = kStatus;
  body["message"] = "the box cannot use its data partition (" + reason_ +
                    "): nothing is accepted, send it again when this is mended";
  // What /healthz has while the daemon runs.
  if (path == "/healthz") body["status"] = "storageFailed";
  body["storageOk"] = false;
  body["whatToDo"] = kWhatToDo;
  return {.status = kStatus, .body = json::write(body), .headers = {{"Retry-After", "60"}}};
}

}  // namespace posthorn::rescue
