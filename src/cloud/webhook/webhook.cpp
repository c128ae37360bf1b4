#include "posthorn/cloud/webhook.h"

#include "cloud/fields.h"
#include "cloud/graph_error.h"
#include "cloud/transport_parts.h"
#include "cloud/webhook/message.h"
#include "posthorn/cloud/endpoint.h"
#include "posthorn/cloud/wamid.h"

namespace posthorn::cloud {
namespace {

using Found = std::optional<json::Value>;

std::string text_at(const json::Value& object, const char* name) {
  return json::string_at(object, name).value_or("");
}

std::string time_of(const json::Value& notification) {
  return std::to_string(json::int_at(notification, "timestamp").value_or(0));
}

/// {"object": …, "entry": [{"id", "changes": [{"field", "value"}]}]}
json::Value in_frame(const char* field, json::Value value, const WebhookContext& context) {
  json::Value change;
  change["field"] = field;
  change["value"] = std::move(value);
  json::Value entry;
  entry["id"] = context.waba_id;
  entry["changes"].append(std::move(change));
  json::Value out;
  out["object"] = "whatsapp_business_account";
  out["entry"].append(std::move(entry));
  return out;
}

json::Value begin(const WebhookContext& context) {
  json::Value value;
  value["messaging_product"] = "whatsapp";
  value["metadata"]["display_phone_number"] = context.own_phone;
  value["metadata"]["phone_number_id"] = context.phone_number_id;
  return value;
}

/// A person by user id, and by number where it is known.
void name_person(json::Value& out, const char* by_number, const char* by_id,
                 const std::string& chat) {
  if (has_number(chat)) out[by_number] = user_of_chat(chat);
  out[by_id] = user_id_of_chat(chat);
}

Found from_incoming(const json::Value& notification, const WebhookContext& context) {
  Found message = show_message(notification, context);
  if (!message) return std::nullopt;
  const json::Value& sender = json::at(notification, "senderData");
  const std::string chat = text_at(sender, "chatId");
  const std::string who = text_at(sender, "sender");
  name_person(*message, "from", "from_user_id", who);
  (*message)["id"] =
      encode_wamid({chat, text_at(notification, "idMessage"), Direction::to_business});
  (*message)["timestamp"] = time_of(notification);
  if (chat.ends_with("@g.us")) (*message)["group_id"] = user_of_chat(chat);
  json::Value value = begin(context);
  json::Value contact;
  contact["profile"]["name"] = text_at(sender, "senderName");
  name_person(contact, "wa_id", "user_id", who);
  value["contacts"].append(std::move(contact));
  value["messages"].append(std::move(*message));
  return in_frame("messages", std::move(value), context);
}

/// Typed on the phone: what a number in coexistence is told.
Found from_outgoing(const json::Value& notification, const WebhookContext& context) {
  Found message = show_message(notification, context);
  if (!message) return std::nullopt;
  const std::string chat = text_at(json::at(notification, "senderData"), "chatId");
  (*message)["from"] = context.own_phone;
  name_person(*message, "to", "to_user_id", chat);
  (*message)["id"] =
      encode_wamid({chat, text_at(notification, "idMessage"), Direction::from_business});
  (*message)["timestamp"] = time_of(notification);
  json::Value value = begin(context);
  value["message_echoes"].append(std::move(*message));
  return in_frame("smb_message_echoes", std::move(value), context);
}

/// "official API: 131042: the words": what Meta has said of a message of the official number.
std::optional<std::pair<int, std::string>> said_by_meta(std::string_view description) {
  constexpr std::string_view kMark = "official API: ";
  const std::size_t at = description.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = description.substr(at + kMark.size());
  const std::size_t end = std::min(rest.find(':'), rest.size());
  const auto code = whole_number(json::Value(std::string(rest.substr(0, end))));
  constexpr std::int64_t kCodeMax = 99'999'999;
  if (!code || *code <= 0 || *code > kCodeMax) return std::nullopt;
  const std::size_t words = std::min(rest.find_first_not_of(": ", end), rest.size());
  return std::pair(static_cast<int>(*code), std::string(rest.substr(words)));
}

Code code_of(const std::string& status, const std::string& description) {
  if (status == "noAccount") return Code::undeliverable;
  if (description.starts_with("opted_out")) return Code::opted_out;
  if (description.starts_with(kLinkFailed)) return Code::media_upload;
  if (description.starts_with(kNeedsTemplate)) return Code::window_closed;
  if (description.starts_with(kHeldBack)) return Code::held_back;
  return Code::something_wrong;
}

/// The words of a failure for people; the throttle's are short names.
std::string details_of(const std::string& status, const std::string& description) {
  if (status == "noAccount") return "the number is not on WhatsApp";
  if (status == "notInGroup") return "the account is not in this group";
  return description.empty() ? "WhatsApp did not take the message" : description;
}

/// {"code", "title", "message", "error_data": {"details"}}
json::Value error_of(const std::string& status, const std::string& description) {
  const auto meta = said_by_meta(description);
  const Code code = code_of(status, description);
  const int number = meta ? meta->first : static_cast<int>(code);
  const std::string title(meta ? title_of_number(number) : title_of(code));
  json::Value error;
  error["code"] = number;
  error["title"] = title;
  error["message"] = title;
  error["error_data"]["details"] =
      meta && !meta->second.empty() ? meta->second : details_of(status, description);
  return error;
}

Found from_status(const json::Value& notification, const WebhookContext& context) {
  const std::string told = text_at(notification, "status");
  const bool goes_on = told == "sent" || told == "delivered" || told == "read";
  const bool failed = told == "failed" || told == "noAccount" || told == "notInGroup";
  if (!goes_on && !failed) return std::nullopt;
  const std::string chat = text_at(notification, "chatId");
  const std::string id = text_at(notification, "idMessage");
  json::Value status;
  status["id"] = encode_wamid({chat, id, Direction::from_business});
  status["status"] = failed ? "failed" : told;
  status["timestamp"] = time_of(notification);
  name_person(status, "recipient_id", "recipient_user_id", chat);
  if (chat.ends_with("@g.us")) {
    status.removeMember("recipient_user_id");
    status["recipient_id"] = user_of_chat(chat);
    status["recipient_type"] = "group";
  }
  if (context.callback_data_of) {
    const std::string data = context.callback_data_of(id);
    if (!data.empty()) status["biz_opaque_callback_data"] = data;
  }
  if (failed) {
    status["errors"].append(error_of(told, text_at(notification, "description")));
  }
  json::Value value = begin(context);
  // Since 2026 the person stands beside the status, too.
  if (!chat.ends_with("@g.us")) {
    json::Value contact;
    name_person(contact, "wa_id", "user_id", chat);
    value["contacts"].append(std::move(contact));
  }
  value["statuses"].append(std::move(status));
  return in_frame("messages", std::move(value), context);
}

Found from_state(const json::Value& notification, const WebhookContext& context) {
  const std::string state = text_at(notification, "stateInstance");
  json::Value value;
  value["phone_number"] = context.own_phone;
  if (state == "blocked") {
    value["event"] = "DISABLED_UPDATE";
    value["ban_info"]["waba_ban_state"] = "DISABLE";
    value["ban_info"]["waba_ban_date"] = time_of(notification);
  } else if (state == "yellowCard" || state == "suspended") {
    value["event"] = "ACCOUNT_RESTRICTION";
    json::Value one;
    one["restriction_type"] = "RESTRICTED_BIZ_INITIATED_MESSAGING";
    value["restriction_info"].append(std::move(one));
  } else if (state == "authorized") {
    value["event"] = "ACCOUNT_RECONNECTED";
  } else if (state == "notAuthorized") {
    value["event"] = "ACCOUNT_OFFBOARDED";
  } else {
    return std::nullopt;
  }
  return in_frame("account_update", std::move(value), context);
}

}  // namespace

const char* quality_of(Status::Throttle level) {
  switch (level) {
    case Status::Throttle::green:
      return "GREEN";
    case Status::Throttle::amber:
      return "YELLOW";
    case Status::Throttle::yellow:
    case Status::Throttle::red:
    case Status::Throttle::black:
      return "RED";
  }
  return "GREEN";
}

json::Value quality_webhook(const std::string& before, const std::string& now,
                            const WebhookContext& context) {
  json::Value value;
  value["display_phone_number"] = context.own_phone;
  value["event"] = now == "RED"      ? "FLAGGED"
                   : before == "RED" ? "UNFLAGGED"
                   : now == "YELLOW" ? "DOWNGRADE"
                                     : "UPGRADE";
  value["current_limit"] = "TIER_NOT_SET";
  return in_frame("phone_number_quality_update", std::move(value), context);
}

Found webhook_of(const json::Value& notification, const WebhookContext& context) {
  const std::string type = text_at(notification, "typeWebhook");
  if (type == "incomingMessageReceived") return from_incoming(notification, context);
  if (type == "outgoingMessageReceived") return from_outgoing(notification, context);
  if (type == "outgoingMessageStatus") return from_status(notification, context);
  if (type == "stateInstanceChanged") return from_state(notification, context);
  return std::nullopt;
}

}  // namespace posthorn::cloud
