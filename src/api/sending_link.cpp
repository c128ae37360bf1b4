#include "api/fields.h"
#include "api/handlers.h"

namespace posthorn::api {

namespace {

/// sendMessage's body with the link as its text: nothing makes it look like more.
Result<json::Value> as_message(json::Value body) {
  TRY(const std::string link, required_text(body, "urlLink"));
  if (!link.starts_with("http://") && !link.starts_with("https://")) {
    return invalid("urlLink", "must be a valid uri with a scheme matching the http|https pattern");
  }
  body.removeMember("urlLink");
  body["message"] = link;
  return body;
}

}  // namespace

void send_link(Context& context, Call call) {
  auto body = as_message(call.body);
  if (!body) return call.refuse(body.error());
  call.body = std::move(*body);
  send_message(context, std::move(call));
}

}  // namespace posthorn::api
