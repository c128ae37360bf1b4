#include "api/accept.h"
#include "api/handlers.h"
#include "api/sending/kinds.h"

namespace posthorn::api {
namespace {

Result<Content::What> said_in(const json::Value& body) {
  TRY(content::Text text, parse_text(body));
  return Content::What(std::move(text));
}

}  // namespace

void send_message(Context& context, Call call) {
  auto job =
      parse_job(call.body, context.settings(),
                {"message", "linkPreview", "typePreview", "customPreview"}, said_in(call.body));
  queue_job(context, std::move(call), "sendMessage", std::move(job));
}

}  // namespace posthorn::api
