#include "api/accept.h"
#include "api/handlers.h"
#include "api/sending/kinds.h"

// The methods that send one message: what each kind says is in sending/, how it is queued in
// accept.cpp.
namespace posthorn::api {

void send_message(Context& context, Call call) {
  auto job = parse_job(call.body, context.settings(),
                       {"message", "linkPreview", "typePreview", "customPreview"},
                       parse_text(call.body, context.settings().link_preview));
  queue_job(context, std::move(call), "sendMessage", std::move(job));
}

void send_location(Context& context, Call call) {
  auto job =
      parse_job(call.body, context.settings(), {"latitude", "longitude", "nameLocation", "address"},
                parse_location(call.body));
  queue_job(context, std::move(call), "sendLocation", std::move(job));
}

void send_contact(Context& context, Call call) {
  auto job = parse_job(call.body, context.settings(), {"contact"}, parse_contact(call.body));
  queue_job(context, std::move(call), "sendContact", std::move(job));
}

void send_poll(Context& context, Call call) {
  auto job = parse_job(call.body, context.settings(), {"message", "options", "multipleAnswers"},
                       parse_poll(call.body));
  queue_job(context, std::move(call), "sendPoll", std::move(job));
}

namespace {

constexpr int kForbidden = 403;

void send_buttons(Context& context, Call call, const char* method, ButtonsAsked asked) {
  if (!context.settings().interactive_fallback) {
    return call.refuse(
        kForbidden,
        "Forbidden: WhatsApp shows buttons of linked devices on some phones only, and "
        "interactiveFallback is no; set it to yes to send them as numbered lines");
  }
  auto job = parse_job(call.body, context.settings(), {"header", "body", "footer", "buttons"},
                       parse_buttons(call.body, asked));
  if (job) job->method = method;
  queue_job(context, std::move(call), method, std::move(job));
}

}  // namespace

void send_interactive_buttons(Context& context, Call call) {
  send_buttons(context, std::move(call), "sendInteractiveButtons", ButtonsAsked::actions);
}

void send_interactive_buttons_reply(Context& context, Call call) {
  send_buttons(context, std::move(call), "sendInteractiveButtonsReply", ButtonsAsked::replies);
}

}  // namespace posthorn::api
