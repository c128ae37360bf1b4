#include "api/fields.h"
#include "api/handlers.h"
#include "api/passkey.h"
#include "api/utf8.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

using session::State;

constexpr std::size_t kKeyShown = 64;

json::Value one(const char* key, json::Value value) {
  json::Value out(::Json::objectValue);
  out[key] = std::move(value);
  return out;
}

bool is_linked(const Context& context) { return !context.outside.link.account().phone.empty(); }

/// Of eight characters, as Green-API gives it: the hyphen that the phone shows is not among them.
json::Value link_code_answer(std::string code) {
  std::erase(code, '-');
  json::Value out(::Json::objectValue);
  out["status"] = !code.empty();
  out["code"] = code;
  return out;
}

/// `message` is ours beside the contract's two: why there is none. While WhatsApp asks for a
/// passkey the members of qr's answer stand there too.
json::Value no_link_code(const Error& why, const Status& status,
                         const std::optional<json::Value>& passkey) {
  json::Value out = passkey.value_or(json::Value(::Json::objectValue));
  out["status"] = false;
  out["code"] = "";
  const bool refused = why.code == Errc::refused || why.code == Errc::busy;
  out["message"] = refused || status.what_to_do.empty() ? why.detail : status.what_to_do;
  return out;
}

}  // namespace

void get_settings(Context& context, Call call) {
  call.send(settings_to_json(context.settings(), context.wid()));
}

void set_settings(Context& context, Call call) {
  auto change = apply_settings(context.settings(), call.body);
  if (!change) return call.refuse(change.error());
  if (!change->unknown.empty()) {
    const std::string first = clean_utf8(change->unknown.front().substr(0, kKeyShown));
    if (context.settings().strict_validation) {
      return call.refuse(invalid(first, "is not allowed").value());
    }
    // One line, however many there are: whoever sends them must not fill the log.
    log::info("api", "unknown settings ignored",
              {{"first", first}, {"count", change->unknown.size()}});
  }
  context.outside.settings.replace(std::move(change->settings),
                                   [call = std::move(call)](Result<void> stored) mutable {
                                     if (!stored) return call.refuse(stored.error());
                                     call.send(one("saveSettings", true));
                                   });
}

void get_state_instance(Context& context, Call call) {
  const std::string_view name = to_string(context.outside.state.value(), context.settings());
  call.send_text("{\"stateInstance\":\"" + std::string(name) + "\"}");  // no name needs escaping
}

void get_status_instance(Context& context, Call call) {
  const State state = context.outside.link.state().state;
  const bool online = state == State::online || state == State::syncing;
  call.send(one("statusInstance", online ? "online" : "offline"));
}

void reboot(Context& context, Call call) {
  const State state = context.outside.link.state().state;
  const bool under_way = state == State::connecting || state == State::handshaking;
  if (under_way || !is_linked(context)) return call.send(one("isReboot", false));
  context.outside.link.reconnect();
  call.send(one("isReboot", true));
}

void logout(Context& context, Call call) {
  if (!is_linked(context)) return call.send(one("isLogout", false));
  context.logging_out = true;
  context.outside.link.log_out(
      [shared = context.shared_from_this(), call = std::move(call)](Result<void> done) mutable {
        shared->logging_out = false;
        if (!done) log::warn("api", "logout failed", {{"error", done.error()}});
        call.send(one("isLogout", done.has_value()));
      });
}

void qr(Context& context, Call call) { context.qr_wait.answer(std::move(call)); }

void scan_qr_code(Context& context, Call call) { context.qr_sockets.open(std::move(call)); }

void get_authorization_code(Context& context, Call call) {
  const auto given = required_text(call.body, "phoneNumber");
  if (!given) return call.refuse(given.error());
  const auto phone = parse_phone(*given);
  if (!phone) return call.refuse(phone.error());
  if (is_linked(context)) return call.refuse(400, "instance account already authorized");
  context.outside.link.request_link_code(
      *phone, [shared = context.shared_from_this(),
               call = std::move(call)](Result<std::string> code) mutable {
        if (code) return call.send(link_code_answer(*code));
        log::info("api", "no link code", {{"error", code.error()}});
        const Api::Outside& outside = shared->outside;
        const bool ends = code.error().code == Errc::cancelled;
        call.send(
            no_link_code(code.error(), ends || !outside.status ? Status{} : outside.status(),
                         ends ? std::nullopt : passkey_required(outside.link.passkey(), call.now)));
      });
}

}  // namespace posthorn::api
