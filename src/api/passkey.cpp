#include "api/passkey.h"

#include <algorithm>

#include "api/fields.h"
#include "api/handlers.h"
#include "api/passkey_script.h"

namespace posthorn::api {

namespace {

using session::Linking;
using session::Passkey;

const char* name_of(Passkey::Stage stage) {
  switch (stage) {
    case Passkey::Stage::none:
      return "none";
    case Passkey::Stage::awaiting_response:
      return "awaitingResponse";
    case Passkey::Stage::awaiting_confirmation:
      return "awaitingConfirmation";
    case Passkey::Stage::finishing:
      return "finishing";
  }
  return "none";
}

/// The time that is left, twice: the box's clock may be wrong before its first login.
void add_time(json::Value& out, const Passkey& passkey, Wall now) {
  if (!passkey.until) return;
  out["expiresAt"] = static_cast<::Json::Int64>(passkey.until->unix_seconds());
  const auto left = std::chrono::duration_cast<seconds>(*passkey.until - now).count();
  out["secondsLeft"] = static_cast<::Json::Int64>(std::max<std::int64_t>(left, 0));
}

json::Value parsed(const std::string& options) {
  return json::parse(options).value_or(json::Value(::Json::objectValue));
}

std::string snippet(const std::string& options) {
  return std::string(kPasskeyScript) + "posthornPasskey(" + options + ")\n";
}

json::Value show(const Passkey& passkey, Wall now) {
  json::Value out(::Json::objectValue);
  out["status"] = name_of(passkey.stage);
  out["message"] = passkey.message;
  add_time(out, passkey, now);
  if (passkey.stage == Passkey::Stage::awaiting_response) {
    out["options"] = parsed(passkey.options);
    out["optionsText"] = passkey.options;
    out["snippet"] = snippet(passkey.options);
  }
  if (passkey.stage == Passkey::Stage::awaiting_confirmation) out["code"] = passkey.code;
  return out;
}

/// In the words of whoever found out: they are for the person in front of the page.
void refuse(Call& call, const Error& why) {
  const bool told = why.code == Errc::malformed || why.code == Errc::not_found ||
                    why.code == Errc::busy || why.code == Errc::refused;
  return told ? call.refuse(400, why.detail) : call.refuse(why);
}

}  // namespace

std::optional<json::Value> passkey_required(const Passkey& passkey, Wall now) {
  if (passkey.stage == Passkey::Stage::none) return std::nullopt;
  json::Value out(::Json::objectValue);
  out["type"] = "passkeyRequired";
  out["message"] = passkey.message;
  out["passkeyStatus"] = name_of(passkey.stage);
  if (!passkey.options.empty()) out["passkeyOptions"] = parsed(passkey.options);
  add_time(out, passkey, now);
  return out;
}

void get_passkey(Context& context, Call call) {
  call.send(show(context.outside.link.passkey(), call.now));
}

void send_passkey_response(Context& context, Call call) {
  const std::string response = json::write(call.body);  // before the call is moved away
  context.outside.link.answer_passkey(response,
                                      [call = std::move(call)](Result<void> taken) mutable {
                                        if (!taken) return refuse(call, taken.error());
                                        call.send_text(R"({"accepted":true})");
                                      });
}

void confirm_passkey(Context& context, Call call) {
  const auto match = json::bool_at(call.body, "match");
  if (!match) return call.refuse(400, "'match' must be true or false");
  const auto codes = *match ? Linking::Codes::match : Linking::Codes::differ;
  context.outside.link.confirm_passkey(
      codes, [match = *match, call = std::move(call)](Result<void> taken) mutable {
        if (!taken) return refuse(call, taken.error());
        call.send_text(match ? R"({"confirmed":true})" : R"({"confirmed":false})");
      });
}

}  // namespace posthorn::api
