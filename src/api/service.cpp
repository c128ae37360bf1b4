#include "api/fields.h"
#include "api/handlers.h"
#include "posthorn/api/chat_id.h"

namespace posthorn::api {

namespace {

constexpr int kTooManyChecks = 469;  // WhatsApp's own guard, in Green-API's numbering
constexpr const char* kTooManyChecksText = "check phone number limit exceeded, try later";

/// phoneNumber, or chatId of a person.
Result<std::string> asked_phone(const json::Value& body) {
  if (json::at(body, "phoneNumber").isNull() && !json::at(body, "chatId").isNull()) {
    TRY(const std::string chat, required_chat(body));
    if (!chat.ends_with("@c.us")) {
      return fail(Errc::malformed, "bad phone number, valid 11 or 12 digits");
    }
    return chat.substr(0, chat.find('@'));
  }
  TRY(const std::string given, required_text(body, "phoneNumber"));
  return parse_phone(given);
}

json::Value answer(const std::optional<std::string>& chat, bool from_cache) {
  json::Value out(::Json::objectValue);
  out["existsWhatsapp"] = chat.has_value();
  out["chatId"] = chat.value_or("");
  out["fromCache"] = from_cache;
  return out;
}

void on_checked(Context& context, Call call, const std::string& phone,
                Result<std::vector<chat::NumberStatus>> numbers) {
  if (!numbers && numbers.error().code == Errc::busy) {
    return call.refuse(kTooManyChecks, kTooManyChecksText);
  }
  if (!numbers && numbers.error().code == Errc::timeout) {
    return call.refuse(400, "check phone number timeout limit exceeded");
  }
  if (!numbers) return call.refuse(numbers.error());
  if (numbers->empty() || !numbers->front().exists) return call.send(answer(std::nullopt, false));
  const std::string& known_as = numbers->front().chat;
  const std::string chat = known_as.empty() ? phone + "@c.us" : known_as;
  context.numbers.found(phone, chat, context.outside.scheduler.now());
  call.send(answer(chat, false));
}

}  // namespace

void check_whatsapp(Context& context, Call call) {
  const auto phone = asked_phone(call.body);
  if (!phone) return call.refuse(phone.error());
  const auto force = optional_bool(call.body, "force");
  if (!force) return call.refuse(force.error());
  const Mono now = context.outside.scheduler.now();
  if (!force->value_or(false)) {
    if (const auto chat = context.numbers.find(*phone, now)) return call.send(answer(chat, true));
  }
  context.outside.people.check_numbers(
      {*phone}, [shared = context.shared_from_this(), phone = *phone,
                 call = std::move(call)](Result<std::vector<chat::NumberStatus>> numbers) mutable {
        on_checked(*shared, std::move(call), phone, std::move(numbers));
      });
}

}  // namespace posthorn::api
