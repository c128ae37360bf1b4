#include "posthorn/api/settings.h"

#include <array>

#include "api/fields.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

constexpr const char* kBlob = "settings";
constexpr std::int64_t kDelayMin = 500;
constexpr std::int64_t kDelayMax = 86'400'000;
constexpr std::int64_t kDelayAdvised = 600'000;
constexpr std::int64_t kTypingMax = 10;
constexpr std::size_t kTextMax = 2048;

/// How a boolean is written: the two booleans are what Java's settings class reads as such.
enum class Written : std::uint8_t { yes_no, boolean, extension };

struct Switch {
  const char* key;
  bool Settings::*member;
  Written written;
};
constexpr std::array<Switch, 21> kSwitches{{
    {"markIncomingMessagesReaded", &Settings::mark_incoming_messages_readed, Written::yes_no},
    {"markIncomingMessagesReadedOnReply", &Settings::mark_incoming_messages_readed_on_reply,
     Written::yes_no},
    {"sharedSession", &Settings::shared_session, Written::yes_no},
    {"outgoingWebhook", &Settings::outgoing_webhook, Written::yes_no},
    {"outgoingMessageWebhook", &Settings::outgoing_message_webhook, Written::yes_no},
    {"outgoingAPIMessageWebhook", &Settings::outgoing_api_message_webhook, Written::yes_no},
    {"incomingWebhook", &Settings::incoming_webhook, Written::yes_no},
    {"deviceWebhook", &Settings::device_webhook, Written::yes_no},
    {"statusInstanceWebhook", &Settings::status_instance_webhook, Written::yes_no},
    {"stateWebhook", &Settings::state_webhook, Written::yes_no},
    {"enableMessagesHistory", &Settings::enable_messages_history, Written::yes_no},
    {"keepOnlineStatus", &Settings::keep_online_status, Written::yes_no},
    {"pollMessageWebhook", &Settings::poll_message_webhook, Written::yes_no},
    {"incomingBlockWebhook", &Settings::incoming_block_webhook, Written::yes_no},
    {"incomingCallWebhook", &Settings::incoming_call_webhook, Written::yes_no},
    {"outgoingCallWebhook", &Settings::outgoing_call_webhook, Written::yes_no},
    {"editedMessageWebhook", &Settings::edited_message_webhook, Written::yes_no},
    {"deletedMessageWebhook", &Settings::deleted_message_webhook, Written::yes_no},
    {"avatarInfoWebhook", &Settings::avatar_info_webhook, Written::yes_no},
    {"linkPreview", &Settings::link_preview, Written::boolean},
    {"enableLidMode", &Settings::enable_lid_mode, Written::boolean},
}};
constexpr Switch kStrict{"strictValidation", &Settings::strict_validation, Written::extension};

/// What a text must look like; the answer is what to tell the caller when it does not.
using Check = const char* (*)(const std::string&);

bool has_control_character(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
  }
  return false;
}

const char* check_url(const std::string& text) {
  if (text.empty()) return nullptr;
  const bool known = text.starts_with("http://") || text.starts_with("https://");
  const std::size_t host = text.find("//") + 2;
  if (!known || host >= text.size() || has_control_character(text)) {
    return "must be a valid uri with a scheme matching the http|https pattern";
  }
  return nullptr;
}

/// The token becomes a header: a line break in it would smuggle in others.
const char* check_token(const std::string& text) {
  return has_control_character(text) ? "must be a string without control characters" : nullptr;
}

const char* check_time(const std::string& text) {
  if (text.empty()) return nullptr;
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  const bool shape = text.size() == 5 && digit(0) && digit(1) && text[2] == ':' && digit(3) &&
                     digit(4) && text.substr(0, 2) < "24" && text[3] < '6';
  return shape ? nullptr : "must be a time like 21:00";
}

const char* check_state_name(const std::string& text) {
  return text == "yellowCard" || text == "suspended" ? nullptr
                                                     : "must be one of [yellowCard, suspended]";
}

struct Text {
  const char* key;
  std::string Settings::*member;
  Check check;
  bool extension;
};
constexpr std::array<Text, 5> kTexts{{
    {"webhookUrl", &Settings::webhook_url, check_url, false},
    {"webhookUrlToken", &Settings::webhook_url_token, check_token, false},
    {"sendFromUTC", &Settings::send_from_utc, check_time, true},
    {"sendToUTC", &Settings::send_to_utc, check_time, true},
    {"restrictionStateName", &Settings::restriction_state_name, check_state_name, true},
}};

/// Shown by getSettings and not changeable here; clients send them back, so they are no surprise.
constexpr std::array<const char*, 5> kReadOnly{"wid", "countryInstance", "typeAccount",
                                               "typeInstance", "proxyInstance"};

Result<void> apply_switch(Settings& settings, const Switch& one, const json::Value& body) {
  const auto value = optional_bool(body, one.key);
  if (!value) return invalid(one.key, "must be one of [yes, no]");
  if (*value) settings.*one.member = **value;
  return {};
}

Result<void> apply_text(Settings& settings, const Text& one, const json::Value& body) {
  if (!json::at(body, one.key).isNull() && !json::at(body, one.key).isString()) {
    return invalid(one.key, "must be a string");
  }
  TRY(const auto value, optional_text(body, one.key));
  if (!value) return {};
  if (value->size() > kTextMax) {
    return invalid(one.key, "length must be less than or equal to 2048 characters long");
  }
  if (const char* wrong = one.check(*value)) return invalid(one.key, wrong);
  settings.*one.member = *value;
  return {};
}

Result<void> apply_numbers(Settings& settings, const json::Value& body) {
  TRY(const auto delay,
      number_between(body, "delaySendMessagesMilliseconds", kDelayMin, kDelayMax));
  if (delay) settings.delay_send_messages = milliseconds(*delay);
  if (delay && *delay > kDelayAdvised) {
    log::warn("api", "very long gap between messages", {{"milliseconds", *delay}});
  }
  TRY(const auto typing, number_between(body, "autoTyping", 0, kTypingMax));
  if (typing) settings.auto_typing = *typing;
  return {};
}

template <class Table>
bool names(const Table& table, const std::string& key) {
  for (const auto& row : table) {
    if (key == row.key) return true;
  }
  return false;
}

bool is_known(const std::string& key) {
  for (const char* known : kReadOnly) {
    if (key == known) return true;
  }
  return names(kSwitches, key) || names(kTexts, key) || key == kStrict.key ||
         key == "delaySendMessagesMilliseconds" || key == "autoTyping";
}

json::Value stored_form(const Settings& settings) {
  json::Value out = settings_to_json(settings, "");
  for (const Text& one : kTexts) out[one.key] = settings.*one.member;
  out[kStrict.key] = settings.strict_validation;
  return out;
}

}  // namespace

json::Value settings_to_json(const Settings& settings, const std::string& wid) {
  static const Settings kDefaults;
  json::Value out(::Json::objectValue);
  out["wid"] = wid;
  out["countryInstance"] = "";
  out["typeAccount"] = "";
  out["typeInstance"] = "whatsapp";
  out["proxyInstance"] = settings.proxy_instance;
  out["delaySendMessagesMilliseconds"] =
      static_cast<::Json::Int64>(settings.delay_send_messages.count());
  out["autoTyping"] = static_cast<::Json::Int64>(settings.auto_typing);
  for (const Switch& one : kSwitches) {
    const bool on = settings.*one.member;
    out[one.key] =
        one.written == Written::boolean ? json::Value(on) : json::Value(on ? "yes" : "no");
  }
  for (const Text& one : kTexts) {
    const std::string& value = settings.*one.member;
    if (!one.extension || value != kDefaults.*one.member) out[one.key] = value;
  }
  if (settings.strict_validation) out[kStrict.key] = "yes";
  return out;
}

Result<SettingsChange> apply_settings(const Settings& base, const json::Value& body) {
  if (!body.isObject())
    return fail(Errc::malformed, "Validation failed. Details: 'value' must be of type object");
  if (body.empty()) {
    return fail(Errc::malformed, "Validation failed. Details: 'value' must have at least 1 key");
  }
  SettingsChange change{base, {}};
  for (const Switch& one : kSwitches) TRY(apply_switch(change.settings, one, body));
  TRY(apply_switch(change.settings, kStrict, body));
  for (const Text& one : kTexts) TRY(apply_text(change.settings, one, body));
  TRY(apply_numbers(change.settings, body));
  for (const std::string& key : body.getMemberNames()) {
    if (!is_known(key)) change.unknown.push_back(key);
  }
  return change;
}

SettingsStore::SettingsStore(BlobStore& blobs) : blobs_(blobs) {
  const auto blob = blobs_.load(kBlob);
  if (!blob) {
    log::error("api", "settings could not be read, defaults are in force",
               {{"error", blob.error()}});
    return;
  }
  if (!*blob) return;
  const auto body = json::parse(as_text(**blob));
  auto change = body ? apply_settings(current_, *body)
                     : Result<SettingsChange>(fail(body.error(), "settings"));
  if (!change) {
    log::error("api", "stored settings are damaged, defaults are in force",
               {{"error", change.error()}});
    return;
  }
  current_ = std::move(change->settings);
}

void SettingsStore::replace(Settings settings, Once<void(Result<void>)> done) {
  const auto saved = blobs_.save(kBlob, as_bytes(json::write(stored_form(settings))));
  if (!saved) return done(saved);
  const Settings before = current_;
  take(settings);
  blobs_.durable([this, before, settings, done = std::move(done)](Result<void> durable) mutable {
    // What is not on disk must not look as if it were; a newer change stays, though.
    if (!durable && current_ == settings) take(before);
    done(std::move(durable));
  });
}

void SettingsStore::take(Settings settings) {
  current_ = std::move(settings);
  for (const auto& listener : listeners_) listener(current_);
}

void SettingsStore::on_change(std::function<void(const Settings&)> listener) {
  listeners_.push_back(std::move(listener));
}

}  // namespace posthorn::api
