#include "session/mex.h"

#include <array>
#include <charconv>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "session/stanzas.h"

namespace posthorn::session::mex {
namespace {

namespace names = wire::names;

constexpr auto kReachoutAnswer = "xwa2_fetch_account_reachout_timelock";
constexpr auto kReachoutPush = "xwa2_notify_account_reachout_timelock";
constexpr auto kCappingAnswer = "xwa2_message_capping_info";
constexpr auto kCappingPush = "xwa2_notify_new_chat_messages_capping_info_update";
constexpr std::string_view kNoRestriction = "DEFAULT";
constexpr hours kUnknownLock{24};
constexpr std::size_t kMostRawBytes = 4096;

std::optional<std::int64_t> number(const json::Value& object, const char* key) {
  const auto text = json::text_of(json::at(object, key));  // comes as a number or as text
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<Wall> moment(const json::Value& object, const char* key) {
  const auto seconds_since_1970 = number(object, key);
  if (!seconds_since_1970 || *seconds_since_1970 <= 0) return std::nullopt;
  return Wall::from_unix(*seconds_since_1970);
}

std::string raw(const json::Value& value) { return json::write(value).substr(0, kMostRawBytes); }

std::optional<Restriction> reachout_of(const json::Value& root, Wall now) {
  if (!root.isObject()) return std::nullopt;
  Restriction out;
  out.kind = Restriction::Kind::reachout_lock;
  out.enforcement = json::string_at(root, "enforcement_type").value_or("");
  out.active =
      json::bool_at(root, "is_active").value_or(false) && out.enforcement != kNoRestriction;
  out.until = moment(root, "time_enforcement_ends");
  if (out.active && !out.until) out.until = now + kUnknownLock;
  out.raw = raw(root);
  return out;
}

std::optional<Restriction> capping_of(const json::Value& root) {
  if (!root.isObject()) return std::nullopt;
  Restriction out;
  out.kind = Restriction::Kind::capping;
  out.status = json::string_at(root, "capping_status").value_or("");
  out.active = !out.status.empty() && out.status != "NONE";
  out.total_quota = number(root, "total_quota");
  out.used_quota = number(root, "used_quota");
  out.cycle_end = moment(root, "cycle_end_timestamp");
  out.until = out.cycle_end;
  out.raw = raw(root);
  return out;
}

Result<void> check_errors(const json::Value& body) {
  const json::Value& errors = json::at(body, "errors");
  if (!errors.isArray() || errors.empty()) return {};
  const json::Value& first = errors[0];
  const auto code = number(json::at(first, "extensions"), "error_code").value_or(0);
  const std::string message = json::string_at(first, "message").value_or("");
  const bool unknown_document = message.find("ocument") != std::string::npos;
  return fail(unknown_document ? Errc::unsupported : Errc::refused,
              std::to_string(code) + " " + message.substr(0, 200));
}

/// The member of "data" that the answer is about; null when there is none.
Result<json::Value> root_of(const wire::Node& answer, const char* key) {
  const wire::Node* result = answer.child(names::kResult);
  if (result == nullptr) return fail(Errc::malformed, "MEX answer without result");
  const auto format = result->attr("format");
  if (format && *format != "json") return fail(Errc::unsupported, "MEX answer in a binary format");
  TRY(const auto body, json::parse(as_text(result->bytes())));
  TRY(check_errors(body));
  return json::at(json::at(body, "data"), key);
}

}  // namespace

wire::Node build_query(std::string_view query_id) {
  const std::string_view variables =
      query_id == kReachoutQuery
          ? R"({"variables":{}})"
          : R"({"variables":{"input":{"type":"INDIVIDUAL_NEW_CHAT_THREAD"}}})";
  return build_iq(names::kGet, names::kWMex,
                  {wire::Node(names::kQuery, {{"query_id", query_id}}, to_bytes(variables))});
}

Result<std::optional<Restriction>> parse_reachout(const wire::Node& answer, Wall now) {
  TRY(const auto root, root_of(answer, kReachoutAnswer));
  return reachout_of(root, now);
}

Result<std::optional<Restriction>> parse_capping(const wire::Node& answer) {
  TRY(const auto root, root_of(answer, kCappingAnswer));
  return capping_of(root);
}

std::vector<Restriction> parse_push(const wire::Node& notification, Wall now) {
  constexpr std::array kChallenges{"NotificationIntegrityChallengeRequest",
                                   "NotificationUserBrigadingUpdate"};
  std::vector<Restriction> out;
  for (const wire::Node& update : notification.children()) {
    if (update.tag != names::kUpdate) continue;
    const std::string op = update.text_attr("op_name");
    const auto body = json::parse(as_text(update.bytes()));
    const bool failed = !body || !check_errors(*body);
    for (const auto* challenge : kChallenges) {
      if (op != challenge) continue;
      Restriction pause;  // shapes unknown: the name alone says that a person must act
      pause.kind = Restriction::Kind::integrity_challenge;
      pause.enforcement = op;
      pause.raw = std::string(as_text(update.bytes())).substr(0, kMostRawBytes);
      out.push_back(std::move(pause));
    }
    if (failed) continue;
    const json::Value& data = json::at(*body, "data");
    if (auto lock = reachout_of(json::at(data, kReachoutPush), now))
      out.push_back(*std::move(lock));
    if (auto cap = capping_of(json::at(data, kCappingPush))) out.push_back(*std::move(cap));
    if (out.empty()) log::info("session", "account news that the box does not use", {{"op", op}});
  }
  return out;
}

}  // namespace posthorn::session::mex
