#include <algorithm>
#include <charconv>

#include "api/handlers.h"
#include "api/receiving.h"

namespace posthorn::api {

namespace {

constexpr seconds kDefaultWait{5};
constexpr seconds kLongestWait{60};

/// 1 .. 60 as given, anything else is brought there; absent, empty or no number: the default.
seconds receive_timeout(std::string_view value) {
  int wanted = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), wanted);
  if (error == std::errc::result_out_of_range) return kLongestWait;
  if (value.empty() || error != std::errc()) return kDefaultWait;
  return std::clamp(seconds(wanted), seconds(1), kLongestWait);
}

/// The id from the path; clients that put it into the body as well are believed by the path.
std::optional<std::uint32_t> receipt_id(const Call& call) {
  const std::string_view text =
      call.argument.empty() ? std::string_view(call.request.body) : call.argument;
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

json::Value removed(bool result) {
  json::Value out(::Json::objectValue);
  out["result"] = result;
  if (!result) out["reason"] = "";
  return out;
}

}  // namespace

std::string notification_text(const InboxPort::Head& head) {
  return "{\"receiptId\":" + std::to_string(head.receipt_id) + ",\"body\":" + head.body + "}";
}

void receive_notification(Context& context, Call call) {
  if (!context.settings().webhook_url.empty()) {
    return call.refuse(400,
                       "A custom webhook url is set. Clear webhookUrl with setSettings before "
                       "receiving notifications over HTTP API");
  }
  if (const auto head = context.outside.inbox.head()) {
    return call.send_text(notification_text(*head));
  }
  const seconds timeout = receive_timeout(call.request.query_value("receiveTimeout"));
  context.polls.wait(std::move(call), timeout);
}

void delete_notification(Context& context, Call call) {
  const auto id = receipt_id(call);
  if (!id) return call.refuse(400, "Parameter receiptId must be a Number");
  context.outside.inbox.remove(*id, [call = std::move(call)](Result<bool> result) mutable {
    if (!result) return call.refuse(result.error());
    call.send(removed(*result));
  });
}

}  // namespace posthorn::api
