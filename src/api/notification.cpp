#include "posthorn/api/notification.h"

#include <algorithm>
#include <array>

#include "api/utf8.h"

namespace posthorn::api {

namespace {

using chat::Message;
using chat::Receipt;
using Found = std::optional<json::Value>;

constexpr const char* kUndecryptable = "{{SWE003}}";

/// In the order of MessageStatus.
constexpr std::array<std::string_view, 7> kStatusNames{
    "sent", "delivered", "read", "failed", "noAccount", "notInGroup", "yellowCard"};

/// The strings come from people's phones: JSON must be UTF-8 whatever they sent.
json::Value text(const std::string& value) {
  return find_bad_utf8(value) ? json::Value(clean_utf8(value)) : json::Value(value);
}

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
  out["chatName"] = text(chat_name);
  out["senderName"] = text(sender_name);
  out["senderContactName"] = "";
  return out;
}

json::Value text_message(const std::string& what) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "textMessage";
  out["textMessageData"]["textMessage"] = text(what);
  return out;
}

json::Value extended_text(const std::string& what, const Message::Preview& preview) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "extendedTextMessage";
  json::Value& data = out["extendedTextMessageData"];
  data["text"] = text(what);
  data["description"] = text(preview.description);
  data["title"] = text(preview.title);
  data["previewType"] = "None";
  data["jpegThumbnail"] = "";
  data["forwardingScore"] = preview.forwarding_score;
  data["isForwarded"] = preview.forwarded;
  return out;
}

json::Value quoted(const std::string& what, const Message::Quote& quote) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "quotedMessage";
  json::Value& data = out["extendedTextMessageData"];
  data["text"] = text(what);
  data["stanzaId"] = text(quote.id);
  data["participant"] = quote.participant;
  json::Value& original = out["quotedMessage"];
  original["stanzaId"] = text(quote.id);
  original["participant"] = quote.participant;
  original["typeMessage"] = text(quote.type_message);
  original["textMessage"] = text(quote.text);
  return out;
}

json::Value edited(const Message& message) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "editedMessage";
  out["editedMessageData"]["textMessage"] = text(message.text);
  out["editedMessageData"]["stanzaId"] = text(message.target_id);
  return out;
}

json::Value deleted(const Message& message) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "deletedMessage";
  out["deletedMessageData"]["stanzaId"] = text(message.target_id);
  return out;
}

Found message_data(const Message& message) {
  switch (message.kind) {
    case Message::Kind::text:
    case Message::Kind::extended_text:
    case Message::Kind::quoted:
      if (message.quote) return quoted(message.text, *message.quote);
      if (message.kind == Message::Kind::text) return text_message(message.text);
      return extended_text(message.text, message.preview.value_or(Message::Preview{}));
    case Message::Kind::edited:
      return edited(message);
    case Message::Kind::deleted:
      return deleted(message);
    case Message::Kind::undecryptable:
      return text_message(kUndecryptable);
    case Message::Kind::other:
      return std::nullopt;
  }
  return std::nullopt;
}

bool wanted(const Message& message, const Settings& settings) {
  const bool direction =
      message.from_me ? settings.outgoing_message_webhook : settings.incoming_webhook;
  if (message.kind == Message::Kind::edited) {
    return settings.edited_message_webhook && (direction || !message.from_me);
  }
  if (message.kind == Message::Kind::deleted) {
    return settings.deleted_message_webhook && (direction || !message.from_me);
  }
  return direction;
}

Found from_message(const Message& message, const Settings& settings, const Instance& instance) {
  if (!wanted(message, settings)) return std::nullopt;
  Found data = message_data(message);
  if (!data) return std::nullopt;
  json::Value out =
      envelope(message.from_me ? "outgoingMessageReceived" : "incomingMessageReceived", instance,
               message.timestamp);
  out["idMessage"] = text(message.id);
  out["senderData"] =
      message.from_me
          ? sender_data(message.chat, message.chat_name, instance.wid, instance.name)
          : sender_data(message.chat, message.chat_name, message.sender, message.sender_name);
  out["messageData"] = std::move(*data);
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
  return build_message_status(report, settings, instance);
}

}  // namespace

Found to_notification(const chat::Event& event, const Settings& settings,
                      const Instance& instance) {
  if (const auto* message = std::get_if<Message>(&event)) {
    return from_message(*message, settings, instance);
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

Found build_api_message(const Job& job, const Settings& settings, const Instance& instance,
                        Wall sent_at) {
  if (!settings.outgoing_api_message_webhook) return std::nullopt;
  json::Value out = envelope("outgoingAPIMessageReceived", instance, sent_at);
  out["idMessage"] = job.id;
  out["senderData"] = sender_data(job.chat, "", instance.wid, instance.name);
  // Whoever wrote the quoted message is not kept with the job; in a chat of two it is the customer.
  out["messageData"] =
      job.quoted_id.empty()
          ? extended_text(job.text, {})
          : quoted(job.text, {.id = job.quoted_id, .participant = job.chat, .text = {}});
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
  out["idMessage"] = text(report.id);
  out["status"] = std::string(to_string(report.status));
  out["sendByApi"] = report.sent_by_api;
  if (always && !report.description.empty()) out["description"] = text(report.description);
  return out;
}

}  // namespace posthorn::api
