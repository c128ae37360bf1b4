#include "fleet/command_table.h"

#include <algorithm>
#include <array>

#include "posthorn/base/utf8.h"

namespace posthorn::fleet {

namespace {

constexpr auto kCommands = std::to_array<BoxCommand>({
    {"send", "POST", "sendMessage", BoxRight::send, false},
    {"sendTemplate", "POST", "sendTemplate", BoxRight::send, false},
    {"setSettings", "POST", "setSettings", BoxRight::send, false},
    {"acknowledgeThrottle", "POST", "acknowledgeThrottle", BoxRight::care, false},
    {"reboot", "POST", "restartBox", BoxRight::care, false},
    {"rotateToken", "GET", "updateApiToken", BoxRight::send, false},
    {"logs", "GET", "getLog", BoxRight::care, false},
    {"logout", "GET", "logout", BoxRight::send, true},
});

/// Not among them: where notifications go, and with what secret. Who writes that reads the shop's
/// messages.
constexpr auto kSettings = std::to_array<std::string_view>({
    "delaySendMessagesMilliseconds",
    "markIncomingMessagesReaded",
    "markIncomingMessagesReadedOnReply",
    "outgoingWebhook",
    "outgoingMessageWebhook",
    "outgoingAPIMessageWebhook",
    "incomingWebhook",
    "statusInstanceWebhook",
    "stateWebhook",
    "keepOnlineStatus",
    "pollMessageWebhook",
    "incomingCallWebhook",
    "editedMessageWebhook",
    "deletedMessageWebhook",
    "autoTyping",
    "rejectCalls",
    "callDetails",
    "interactiveFallback",
});

constexpr std::int64_t kLinesAtMost = 500;
constexpr std::size_t kLogAtMost = std::size_t{48} << 10;

std::string last_lines(const std::string& log, std::int64_t lines) {
  std::size_t at = log.size();
  if (at > 0 && log.back() == '\n') --at;
  for (std::int64_t count = 0; count < lines && at != std::string::npos && at > 0; ++count) {
    at = log.rfind('\n', at - 1);
  }
  std::string out = at == std::string::npos || at == 0 ? log : log.substr(at + 1);
  return out.size() > kLogAtMost ? out.substr(out.size() - kLogAtMost) : out;
}

}  // namespace

const BoxCommand* find_box_command(std::string_view name) {
  const auto at = std::find_if(kCommands.begin(), kCommands.end(),
                               [&](const BoxCommand& one) { return one.name == name; });
  return at == kCommands.end() ? nullptr : &*at;
}

Result<BoxRequest> request_of(const BoxCommand& kind, const Command& command) {
  BoxRequest out;
  out.verb = kind.verb;
  out.name = kind.method;
  out.right = kind.right;
  json::Value body = command.args;
  if (kind.name == "send" || kind.name == "sendTemplate") {
    out.idempotency_key = "fleet-" + command.key;
  }
  if (kind.name == "setSettings") {
    for (const std::string& name : body.getMemberNames()) {
      if (std::find(kSettings.begin(), kSettings.end(), name) == kSettings.end()) {
        return fail(Errc::refused, name + ": is set at the box itself, not from the centre");
      }
    }
  }
  if (kind.name == "acknowledgeThrottle") {
    if (command.by.empty()) return fail(Errc::malformed, "\"by\": the person who acknowledges");
    body["who"] = command.by;
  }
  if (kind.name == "reboot") {
    body = json::Value(::Json::objectValue);
    body["confirm"] = "restart";
  }
  if (out.verb != "GET") out.body = json::write(body);
  return out;
}

Outcome outcome_of(const Command& command, const BoxAnswer& answer) {
  Outcome out;
  out.code = answer.status;
  out.status = answer.status == 200 ? Outcome::Status::done : Outcome::Status::refused;
  auto body = json::parse(answer.body, 20000);
  out.body = body ? std::move(*body) : json::Value(cut_utf8(answer.body, 1000));
  if (command.what == "logs" && answer.status == 200 && out.body.isObject()) {
    const auto lines = json::int_at(command.args, "lines").value_or(100);
    out.body["log"] = last_lines(json::string_at(out.body, "log").value_or(""),
                                 std::clamp<std::int64_t>(lines, 1, kLinesAtMost));
  }
  return out;
}

}  // namespace posthorn::fleet
