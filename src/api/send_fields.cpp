#include "posthorn/api/send_fields.h"

#include "api/fields.h"
#include "posthorn/base/user_id.h"

namespace posthorn::api {

namespace {

Result<std::string> parse_consent(const json::Value& body) {
  TRY(auto consent, optional_text(body, "consent"));
  if (!consent || consent->empty()) return std::string();
  if (*consent != "order" && *consent != "form" && *consent != "spoken") {
    return invalid("consent", "must be one of [order, form, spoken]");
  }
  return std::move(*consent);
}

/// Which of the two transports carries it: the linked account, the official API, or whichever is
/// right.
Result<std::string> parse_transport(const json::Value& body) {
  TRY(auto transport, optional_text(body, "transport"));
  if (!transport || transport->empty()) return std::string();
  if (*transport != "own" && *transport != "official" && *transport != "auto") {
    return invalid("transport", "must be one of [own, official, auto]");
  }
  return std::move(*transport);
}

}  // namespace

Result<std::string> parse_chat_field(const json::Value& body) { return required_chat(body); }

Result<SendFields> parse_send_fields(const json::Value& body) {
  SendFields out;
  TRY(out.chat, required_chat(body));
  TRY(const auto urgent, optional_bool(body, "urgent"));
  out.urgent = urgent.value_or(false);
  TRY(out.consent, parse_consent(body));
  TRY(out.transport, parse_transport(body));
  return out;
}

std::optional<WayTrouble> trouble_of_way(std::string_view chat, std::string_view transport,
                                         Official official) {
  const bool user_id = !user_id_in(chat).empty();
  if (user_id && official == Official::absent) {
    return WayTrouble{"chatId",
                      "is a user id: only an official number can write to it, and none is set up "
                      "([cloud] in posthorn.toml)"};
  }
  if (user_id && transport == "own") {
    return WayTrouble{"transport",
                      "must not be own for a user id: only the official number can write to it"};
  }
  if (transport != "official") return std::nullopt;
  if (official == Official::absent) {
    return WayTrouble{
        "transport",
        "must not be official: no official number is set up ([cloud] in posthorn.toml)"};
  }
  if (!user_id && !chat.ends_with("@c.us")) {
    return WayTrouble{"transport",
                      "must not be official for this chat: the official number writes to phone "
                      "numbers and user ids only"};
  }
  return std::nullopt;
}

Result<void> check_way(std::string_view chat, std::string_view transport, Official official) {
  const auto trouble = trouble_of_way(chat, transport, official);
  if (!trouble) return {};
  return invalid(trouble->field, trouble->what);
}

}  // namespace posthorn::api
