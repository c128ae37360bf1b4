#include "posthorn/api/notification.h"

#include <algorithm>
#include <array>

#include "api/notification/kinds.h"
#include "api/utf8.h"

namespace posthorn::api {

namespace {

using chat::Message;
using chat::Receipt;
using Found = std::optional<json::Value>;

/// In the order of MessageStatus.
constexpr std::array<std::string_view, 7> kStatusNames{
    "sent", "delivered", "read", "failed", "noAccount", "notInGroup", "yellowCard"};

json::Value envelope(const char* type, const Instance& instance, Wall at) {
  json::Value out(::Json::objectValue);
  out["typeWebhook"] = type;
  out["instanceData"]["idInstance"] = static_cast<::Json::UInt64>(instance.id);
  out["instanceData"]["wid"] = instance.wid;
  out["instanceData"]["typeInstance"] = "whatsapp";
  out["timestamp"] = static_cast<::Json::Int64>(at.unix_seconds());
  return out;
}

json::Value sender_data(const std::string& chat, const std::string& chat_name,
                        const std::string& sender, const std::string& sender_name) {
  json::Value out(::Json::objectValue);
  out["chatId"] = chat;
  out["sender"] = sender;
  out["chatName"] = shown_text(chat_name);
  out["senderName"] = shown_text(sender_name);
  out["senderContactName"] = "";
  return out;
}

Found message_data(const Content& content) {
  Found data =
      std::visit([&](const auto& kind) { return show_message(kind, content); }, content.what);
  // A reply of another kind than text keeps its own typeMessage.
  if (data && content.quote && !data->isMember("quotedMessage")) show_quote(*content.quote, *data);
  return data;
}

/// The switch of its kind; nullptr: it has only that of its direction.
const bool* switch_of(const Content& content, const Settings& settings) {
  if (std::holds_alternative<content::Edit>(content.what)) return &settings.edited_message_webhook;
  if (std::holds_alternative<content::Deletion>(content.what)) {
    return &settings.deleted_message_webhook;
  }
  const bool poll = std::holds_alternative<content::Poll>(content.what) ||
                    std::holds_alternative<content::PollVote>(content.what);
  return poll ? &settings.poll_message_webhook : nullptr;
}

/// What comes in is asked for by its kind's own switch, where it has one; of what goes out both
/// switches count.
bool wanted(const Message& message, const Settings& settings) {
  const bool* own = switch_of(message.content, settings);
  if (!message.from_me) return own != nullptr ? *own : settings.incoming_webhook;
  return settings.outgoing_message_webhook && (own == nullptr || *own);
}

bool wanted(const Job& job, const Settings& settings) {
  const bool* own = switch_of(job.content, settings);
  return settings.outgoing_api_message_webhook && (own == nullptr || *own);
}

Found from_message(const Message& message, const Settings& settings, const Instance& instance) {
  // Statuses are for the journal: bots answer every message that they are told of.
  if (message.chat == kStoryChat || !wanted(message, settings)) return std::nullopt;
  Found data = message_data(message.content);
  if (!data) return std::nullopt;
  json::Value out =
      envelope(message.from_me ? "outgoingMessageReceived" : "incomingMessageReceived", instance,
               message.timestamp);
  out["idMessage"] = shown_text(message.id);
  out["senderData"] =
      message.from_me
          ? sender_data(message.chat, message.chat_name, instance.wid, instance.name)
          : sender_data(message.chat, message.chat_name, message.sender, message.sender_name);
  out["messageData"] = std::move(*data);
  return out;
}

/// In the order of Call::Status.
constexpr std::array<const char*, 5> kCallStatuses{"offer", "pickUp", "hungUp", "missed",
                                                   "declined"};

Found from_call(const chat::Call& call, const Settings& settings, const Instance& instance) {
  if (!settings.incoming_call_webhook) return std::nullopt;
  json::Value out = envelope("incomingCall", instance, call.timestamp);
  out["from"] = shown_text(call.chat);
  out["status"] = kCallStatuses.at(static_cast<std::size_t>(call.status));
  out["idMessage"] = shown_text(call.id);
  // Receivers with closed classes know no more than that.
  if (settings.call_details) out["isVideo"] = call.video;
  return out;
}

Found from_blocked(const chat::Blocked& blocked, const Settings& settings,
                   const Instance& instance) {
  if (!settings.incoming_block_webhook) return std::nullopt;
  json::Value out = envelope("incomingBlock", instance, blocked.at);
  out["chatId"] = blocked.chat;
  out["chatState"] = "blocked";
  return out;
}

Found from_connectivity(bool online, const Settings& settings, const Instance& instance, Wall now) {
  if (!settings.status_instance_webhook) return std::nullopt;
  json::Value out = envelope("statusInstanceChanged", instance, now);
  out["statusInstance"] = online ? "online" : "offline";
  return out;
}

Found from_receipt(const Receipt& receipt, const Settings& settings, const Instance& instance) {
  StatusReport report;
  report.id = receipt.message_id;
  report.chat = receipt.chat;
  report.status =
      receipt.kind == Receipt::Kind::delivered ? MessageStatus::delivered : MessageStatus::read;
  report.at = receipt.timestamp;
  report.sent_by_api = receipt.by_api;
  return build_message_status(report, settings, instance);
}

}  // namespace

json::Value shown_text(const std::string& value) {
  return find_bad_utf8(value) ? json::Value(clean_utf8(value)) : json::Value(value);
}

Found to_notification(const chat::Event& event, const Settings& settings,
                      const Instance& instance) {
  if (const auto* message = std::get_if<Message>(&event)) {
    return from_message(*message, settings, instance);
  }
  if (const auto* call = std::get_if<chat::Call>(&event)) {
    return from_call(*call, settings, instance);
  }
  if (const auto* blocked = std::get_if<chat::Blocked>(&event)) {
    return from_blocked(*blocked, settings, instance);
  }
  return from_receipt(std::get<Receipt>(event), settings, instance);
}

Found to_notification(const session::Event& event, const Settings& settings,
                      const Instance& instance, Wall now) {
  const auto* link = std::get_if<session::Connectivity>(&event);
  if (link == nullptr) return std::nullopt;
  return from_connectivity(link->online, settings, instance, now);
}

Found build_state_changed(InstanceState::Value value, const Settings& settings,
                          const Instance& instance, Wall now) {
  if (!settings.state_webhook) return std::nullopt;
  json::Value out = envelope("stateInstanceChanged", instance, now);
  if (value == InstanceState::Value::not_authorized) out["instanceData"]["wid"] = "";
  out["stateInstance"] = std::string(to_string(value, settings));
  return out;
}

Found build_message_data(const Content& content) { return message_data(content); }

Found build_job_data(const Job& job) {
  Content content = job.content;
  auto* text = std::get_if<content::Text>(&content.what);
  if (text != nullptr && !text->preview) text->preview.emplace();
  // Of a message that is not remembered: in a chat of two it is more likely the customer's.
  if (content.quote && content.quote->participant.empty()) content.quote->participant = job.chat;
  return message_data(content);
}

Job with_quote(Job job, const QuoteOf& quote_of) {
  if (!job.content.quote || !quote_of) return job;
  if (auto quote = quote_of(job)) job.content.quote = std::move(quote);
  return job;
}

Found build_api_message(const Job& job, const Settings& settings, const Instance& instance,
                        Wall sent_at) {
  if (job.chat == kStoryChat || !wanted(job, settings)) return std::nullopt;
  json::Value out = envelope("outgoingAPIMessageReceived", instance, sent_at);
  out["idMessage"] = job.id;
  out["senderData"] = sender_data(job.chat, "", instance.wid, instance.name);
  Found data = build_job_data(job);
  if (!data) return std::nullopt;
  out["messageData"] = std::move(*data);
  return out;
}

Found build_avatar_info(const AvatarInfo& info, const Settings& settings, const Instance& instance,
                        Wall now) {
  if (!settings.avatar_info_webhook) return std::nullopt;
  json::Value out = envelope("deviceInfo", instance, now);
  json::Value& avatar = out["avatarInfo"];
  avatar["chatId"] = info.chat;
  avatar["urlAvatar"] = info.url;
  if (!settings.call_details) return out;
  avatar["existsWhatsapp"] = info.exists;
  avatar["reason"] = shown_text(info.reason);
  return out;
}

Found build_quota_exceeded(std::string_view method, std::uint64_t queued, const Settings& settings,
                           const Instance& instance, Wall now) {
  if (!settings.quota_webhook) return std::nullopt;
  json::Value out = envelope("quotaExceeded", instance, now);
  json::Value& quota = out["quotaData"];
  quota["method"] = std::string(method);
  quota["used"] = static_cast<::Json::UInt64>(queued);
  quota["total"] = static_cast<::Json::UInt64>(queued);
  quota["status"] = "QUOTA_EXCEEDED";
  quota["description"] = "The queue of the box is full, try again when messages have left";
  return out;
}

std::string_view to_string(MessageStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<MessageStatus> parse_message_status(std::string_view name) {
  const auto found = std::find(kStatusNames.begin(), kStatusNames.end(), name);
  if (found == kStatusNames.end()) return std::nullopt;
  return static_cast<MessageStatus>(found - kStatusNames.begin());
}

Found build_message_status(const StatusReport& report, const Settings& settings,
                           const Instance& instance) {
  const bool always =
      report.status == MessageStatus::failed || report.status == MessageStatus::no_account;
  if (!always && !settings.outgoing_webhook) return std::nullopt;
  json::Value out = envelope("outgoingMessageStatus", instance, report.at);
  out["chatId"] = report.chat;
  out["idMessage"] = shown_text(report.id);
  out["status"] = std::string(to_string(report.status));
  out["sendByApi"] = report.sent_by_api;
  if (!report.external_id.empty()) out["externalId"] = report.external_id;
  if (always && !report.description.empty()) out["description"] = shown_text(report.description);
  return out;
}

}  // namespace posthorn::api
