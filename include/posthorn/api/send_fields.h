#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

/// What every request that sends says of its message's way, and what a question about sending says
/// the same. Every Error is malformed and its detail is the whole message of the 400 answer.
namespace posthorn::api {

struct SendFields {
  std::string chat;
  std::string consent;    ///< "order", "form", "spoken" or ""
  std::string transport;  ///< "own", "official", "auto" or ""
  bool urgent = false;
};

[[nodiscard]] Result<SendFields> parse_send_fields(const json::Value& body);

/// chatId, or phoneNumber as old clients send it. Normalised.
[[nodiscard]] Result<std::string> parse_chat_field(const json::Value& body);

/// What no number of this box can carry. official: one is set up.
enum class Official : bool { absent, set_up };
struct WayTrouble {
  const char* field = "";  ///< "chatId" or "transport"
  const char* what = "";   ///< "must not be official: …"
};
[[nodiscard]] std::optional<WayTrouble> trouble_of_way(std::string_view chat,
                                                       std::string_view transport,
                                                       Official official);
/// The same as an answer of Green-API's methods.
[[nodiscard]] Result<void> check_way(std::string_view chat, std::string_view transport,
                                     Official official);

}  // namespace posthorn::api
