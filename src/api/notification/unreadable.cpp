#include "api/notification/kinds.h"

// Content that nobody could decrypt, and kinds that Green-API has no form for.
namespace posthorn::api {
namespace {

constexpr const char* kUndecryptable = "{{SWE003}}";

}  // namespace

std::optional<json::Value> show_message(const content::Undecryptable&, const Content&) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "textMessage";
  out["textMessageData"]["textMessage"] = kUndecryptable;
  return out;
}

std::optional<json::Value> show_message(const content::Other&, const Content&) {
  return std::nullopt;
}

}  // namespace posthorn::api
