#include "api/notification/kinds.h"

// Content that nobody could decrypt, and kinds that this release does not know: that something came
// is told, so that somebody looks at the phone.
namespace posthorn::api {
namespace {

/// Green-API's mark for "could not be decrypted or converted".
json::Value unreadable() {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "textMessage";
  out["textMessageData"]["textMessage"] = "{{SWE003}}";
  return out;
}

}  // namespace

std::optional<json::Value> show_message(const content::Undecryptable&, const Content&) {
  return unreadable();
}

/// What may be seen once does not come to linked devices at all.
std::optional<json::Value> show_message(const content::Other& kind, const Content&) {
  json::Value out = unreadable();
  if (kind.type_name == "viewOnceMessage") {
    out["textMessageData"]["textMessage"] =
        "[View once] A photo, video or voice message that may be seen once has come. WhatsApp "
        "shows it on the phone only";
  }
  return out;
}

}  // namespace posthorn::api
