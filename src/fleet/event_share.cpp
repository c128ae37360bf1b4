#include "fleet/event_share.h"

#include <algorithm>

#include "fleet/topics.h"
#include "posthorn/base/crypto.h"

namespace posthorn::fleet {

namespace {

/// A word of the API's own vocabulary: letters only. Whatever else stands there stays here.
std::optional<std::string> word_at(const json::Value& value, const char* key) {
  auto word = json::string_at(value, key);
  if (!word || word->empty() || word->size() > 40) return std::nullopt;
  const bool letters = std::all_of(word->begin(), word->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  if (!letters) return std::nullopt;
  return word;
}

/// The ids that WhatsApp's clients make: hexadecimal. Others could carry anything.
std::optional<std::string> id_at(const json::Value& value) {
  auto id = json::string_at(value, "idMessage");
  if (!id || id->empty() || id->size() > 64) return std::nullopt;
  const bool hex = std::all_of(id->begin(), id->end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  const bool number =
      std::all_of(id->begin(), id->end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!hex || number) return std::nullopt;
  return id;
}

std::string chat_of(const json::Value& notification) {
  for (const json::Value* where : {&json::at(notification, "senderData"), &notification}) {
    if (auto chat = json::string_at(*where, "chatId")) return *chat;
  }
  return json::string_at(notification, "from").value_or("");
}

}  // namespace

std::string chat_hash(ByteView key, std::string_view chat_id) {
  const auto mac = crypto::hmac_sha256(key, as_bytes(chat_id));
  return hex_encode(ByteView(mac).first(8));
}

SharedEvent share_event(const json::Value& notification, Share share, ByteView key) {
  SharedEvent out;
  out.type = word_at(notification, "typeWebhook").value_or("other");
  if (share == Share::full) {
    out.payload = json::write(notification);
    return out;
  }
  json::Value told(::Json::objectValue);
  told["type"] = out.type;
  if (const auto time = json::int_at(notification, "timestamp")) {
    told["time"] = static_cast<::Json::Int64>(*time);
  }
  if (auto id = id_at(notification)) told["idMessage"] = *id;
  if (const std::string chat = chat_of(notification); !chat.empty()) {
    told["chat"] = chat_hash(key, chat);
    told["group"] = chat.ends_with("@g.us");
  }
  if (auto kind = word_at(json::at(notification, "messageData"), "typeMessage")) {
    told["kind"] = *kind;
  }
  if (auto status = word_at(notification, "status")) told["status"] = *status;
  if (auto state = word_at(notification, "stateInstance")) told["state"] = *state;
  out.payload = json::write(told);
  return out;
}

}  // namespace posthorn::fleet
