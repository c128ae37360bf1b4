#include <charconv>

#include "api/handlers.h"

namespace posthorn::api {

namespace {

constexpr minutes kAvatarRests{1};

/// Green-API shows the account only while it may be used.
bool shows_account(InstanceState::Value value) {
  return value == InstanceState::Value::authorized || value == InstanceState::Value::restricted;
}

/// The own picture's address, as far as WhatsApp tells it. Pages ask again and again: one question
/// that is not answered is enough for a while.
void add_avatar(Context& context, Call call, json::Value out) {
  const Mono now = context.outside.scheduler.now();
  if (now < context.avatar_rests_until) return call.send(out);
  context.avatar_rests_until = now + kAvatarRests;
  context.outside.contacts.picture(
      context.wid(), [shared = context.shared_from_this(), call = std::move(call),
                      out = std::move(out)](const Result<chat::Picture>& picture) mutable {
        if (picture) shared->avatar_rests_until = Mono{};
        if (picture) out["avatar"] = picture->url;
        call.send(out);
      });
}

}  // namespace

void get_wa_settings(Context& context, Call call) {
  const InstanceState::Value state = context.outside.state.value();
  const bool shown = shows_account(state);
  const session::Account account = shown ? context.outside.link.account() : session::Account{};
  json::Value out(::Json::objectValue);
  out["avatar"] = "";
  out["phone"] = account.phone;
  out["chatId"] = shown ? context.wid() : "";
  out["stateInstance"] = std::string(to_string(state, context.settings()));
  out["deviceId"] = account.device_jid;
  auto* phone = context.outside.phone_history;
  out["historySyncProgress"] = !shown ? 0 : phone == nullptr ? 100 : phone->progress();
  out["logoutProcess"] = context.logging_out;
  const auto until = context.outside.status().until;
  if (state == InstanceState::Value::restricted && until) {
    out["suspendedUntil"] = static_cast<::Json::Int64>(until->unix_seconds());
  }
  if (!shown) return call.send(out);
  add_avatar(context, std::move(call), std::move(out));
}

void get_state_instance_history(Context& context, Call call) {
  std::size_t count = StateHistory::kMost;
  const std::string_view asked = call.request.query_value("count");
  std::from_chars(asked.data(), asked.data() + asked.size(), count);
  json::Value out(::Json::arrayValue);
  if (context.outside.history != nullptr) {
    for (const StateHistory::Change& change : context.outside.history->newest(count)) {
      json::Value row(::Json::objectValue);
      row["stateInstance"] = change.state;
      row["timestamp"] = static_cast<::Json::Int64>(change.at.unix_seconds());
      row["phoneNumber"] = change.phone;
      out.append(std::move(row));
    }
  }
  call.send(out);
}

/// Of phones before multi-device; answered as the cloud does, because SDKs have the call.
void get_device_info(Context&, Call call) {
  json::Value out(::Json::objectValue);
  for (const char* key :
       {"platform", "deviceManufacturer", "deviceModel", "osVersion", "waVersion"}) {
    out[key] = "";
  }
  out["battery"] = -1;
  call.send(out);
}

/// "Back to the system's proxy": the box never leaves it.
void set_system_proxy(Context&, Call call) { call.send_text("{\"setProxy\":true}"); }

}  // namespace posthorn::api
