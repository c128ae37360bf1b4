#include "posthorn/api/settings.h"

#include <array>

#include "api/fields.h"
#include "api/http_url.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

constexpr const char* kBlob = "settings";
constexpr std::int64_t kDelayMin = 500;
constexpr std::int64_t kDelayMax = 600'000;  // the throttle's own
constexpr std::int64_t kTypingMax = 10;
constexpr const char* kQuietHours =
    "is obsolete: when nothing is sent is set by quiet_from_min and quiet_to_min of "
    "setThrottleSettings, in minutes of the shop's local day";

/// How a boolean is written: the booleans are what Java's settings class reads as such.
enum class Written : std::uint8_t { yes_no, boolean, extension };

struct Switch {
  const char* key;
  bool Settings::*member;
  Written written;
};
constexpr std::array<Switch, 16> kSwitches{{
    {"markIncomingMessagesReaded", &Settings::mark_incoming_messages_readed, Written::yes_no},
    {"markIncomingMessagesReadedOnReply", &Settings::mark_incoming_messages_readed_on_reply,
     Written::yes_no},
    {"outgoingWebhook", &Settings::outgoing_webhook, Written::yes_no},
    {"outgoingMessageWebhook", &Settings::outgoing_message_webhook, Written::yes_no},
    {"outgoingAPIMessageWebhook", &Settings::outgoing_api_message_webhook, Written::yes_no},
    {"incomingWebhook", &Settings::incoming_webhook, Written::yes_no},
    {"statusInstanceWebhook", &Settings::status_instance_webhook, Written::yes_no},
    {"stateWebhook", &Settings::state_webhook, Written::yes_no},
    {"keepOnlineStatus", &Settings::keep_online_status, Written::yes_no},
    {"pollMessageWebhook", &Settings::poll_message_webhook, Written::yes_no},
    {"incomingCallWebhook", &Settings::incoming_call_webhook, Written::yes_no},
    {"incomingBlockWebhook", &Settings::incoming_block_webhook, Written::yes_no},
    {"avatarInfoWebhook", &Settings::avatar_info_webhook, Written::yes_no},
    {"editedMessageWebhook", &Settings::edited_message_webhook, Written::yes_no},
    {"deletedMessageWebhook", &Settings::deleted_message_webhook, Written::yes_no},
    {"linkPreview", &Settings::link_preview, Written::boolean},
}};
constexpr std::array<Switch, 5> kExtensions{{
    {"strictValidation", &Settings::strict_validation, Written::extension},
    {"rejectCalls", &Settings::reject_calls, Written::extension},
    {"callDetails", &Settings::call_details, Written::extension},
    {"quotaWebhook", &Settings::quota_webhook, Written::extension},
    {"interactiveFallback", &Settings::interactive_fallback, Written::extension},
}};

/// What a text must look like; the answer is what to tell the caller when it does not.
using Check = const char* (*)(const std::string&);

bool has_control_character(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
  }
  return false;
}

const char* check_url(const std::string& text) {
  if (text.empty() || is_http_url(text)) return nullptr;
  return "must be a valid uri with a scheme matching the http|https pattern";
}

/// As curl wants it; how to get it from a certificate is in the README.
const char* check_pin(const std::string& text) {
  if (text.empty()) return nullptr;
  constexpr std::string_view kScheme = "sha256//";
  constexpr std::size_t kLength = 44;  // 32 bytes in base64
  const bool shape = text.starts_with(kScheme) && text.size() == kScheme.size() + kLength &&
                     text.ends_with('=') &&
                     text.find_first_not_of(
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                         "0123456789+/",
                         kScheme.size()) == text.size() - 1;
  return shape ? nullptr : "must be sha256// and the 44 characters of the key's hash in base64";
}

const char* check_ca(const std::string& text) {
  if (text.empty()) return nullptr;
  const std::size_t begin = text.find("-----BEGIN CERTIFICATE-----");
  const std::size_t end = text.rfind("-----END CERTIFICATE-----");
  const bool shape = begin != std::string::npos && end != std::string::npos && begin < end;
  return shape ? nullptr : "must be one or more certificates in PEM form";
}

/// The token becomes a header: a line break in it would smuggle in others.
const char* check_token(const std::string& text) {
  return has_control_character(text) ? "must be a string without control characters" : nullptr;
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
  std::size_t at_most = 2048;
};
constexpr std::array<Text, 5> kTexts{{
    {"webhookUrl", &Settings::webhook_url, check_url, false},
    {"webhookUrlToken", &Settings::webhook_url_token, check_token, false},
    {"webhookUrlPinnedKey", &Settings::webhook_url_pinned_key, check_pin, true},
    {"webhookUrlCa", &Settings::webhook_url_ca, check_ca, true, 16'384},
    {"restrictionStateName", &Settings::restriction_state_name, check_state_name, true},
}};

/// Shown by getSettings and not changeable here; clients send them back, so they are no surprise.
constexpr std::array<const char*, 4> kReadOnly{"wid", "countryInstance", "typeAccount",
                                               "typeInstance"};

/// Documented keys that do nothing here. Shown as off, so that clients find them and may send them
/// back; whoever asks for what they meant is told, instead of waiting for it.
struct Inert {
  const char* key;
  enum class Kind : std::uint8_t { text, yes_no, boolean } kind;
  bool shown;  ///< by getSettings
  const char* why;
};
using Kind = Inert::Kind;
constexpr std::array<Inert, 8> kInert{{
    {"proxyInstance", Kind::text, true,
     "cannot be set here: the proxy of the box is the key proxy in section [network] of "
     "posthorn.toml, on a box from the card the key proxy in posthorn.txt"},
    {"sendFromUTC", Kind::text, false, kQuietHours},
    {"sendToUTC", Kind::text, false, kQuietHours},
    {"sharedSession", Kind::yes_no, true, "must be no: it is obsolete and did nothing any more"},
    {"deviceWebhook", Kind::yes_no, true,
     "must be no: WhatsApp does not tell about the phone any more"},
    {"enableMessagesHistory", Kind::yes_no, true,
     "must be no: the journal is kept all the same, as long as section [journal] of the "
     "configuration says"},
    {"outgoingCallWebhook", Kind::yes_no, true,
     "must be no: Posthorn does not learn of calls made on the phone yet"},
    {"enableLidMode", Kind::boolean, true,
     "must be false: there is nothing to switch on, a chat whose phone number WhatsApp does not "
     "tell always has its @lid as chatId here, and every other one its number"},
}};

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
  if (value->size() > one.at_most) {
    return invalid(one.key, "length must be less than or equal to " + std::to_string(one.at_most) +
                                " characters long");
  }
  if (const char* wrong = one.check(*value)) return invalid(one.key, wrong);
  settings.*one.member = *value;
  return {};
}

json::Value off(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "";
    case Kind::yes_no:
      return "no";
    case Kind::boolean:
      return false;
  }
  return {};
}

Result<void> refuse_inert(const Inert& one, const json::Value& body) {
  if (one.kind == Kind::text) {
    const json::Value& value = json::at(body, one.key);
    if (value.isNull() || json::string_at(body, one.key) == "") return {};
    return invalid(one.key, value.isString() ? one.why : "must be a string");
  }
  const auto value = optional_bool(body, one.key);
  if (!value) return invalid(one.key, "must be one of [yes, no]");
  return value->value_or(false) ? Result<void>(invalid(one.key, one.why)) : Result<void>();
}

Result<void> apply_numbers(Settings& settings, const json::Value& body) {
  TRY(const auto delay,
      number_between(body, "delaySendMessagesMilliseconds", kDelayMin, kDelayMax));
  if (delay) settings.delay_send_messages = milliseconds(*delay);
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
  return names(kSwitches, key) || names(kTexts, key) || names(kInert, key) ||
         names(kExtensions, key) || key == "delaySendMessagesMilliseconds" || key == "autoTyping";
}

json::Value stored_form(const Settings& settings) {
  json::Value out = settings_to_json(settings, "");
  for (const Text& one : kTexts) out[one.key] = settings.*one.member;
  for (const Switch& one : kExtensions) out[one.key] = settings.*one.member;
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
  for (const Inert& one : kInert) {
    if (one.shown) out[one.key] = off(one.kind);
  }
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
  for (const Switch& one : kExtensions) {
    const bool on = settings.*one.member;
    if (on != kDefaults.*one.member) out[one.key] = on ? "yes" : "no";
  }
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
  for (const Switch& one : kExtensions) TRY(apply_switch(change.settings, one, body));
  for (const Text& one : kTexts) TRY(apply_text(change.settings, one, body));
  for (const Inert& one : kInert) TRY(refuse_inert(one, body));
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
  if (!body || !body->isObject()) {
    log::error("api", "stored settings are damaged, defaults are in force");
    return;
  }
  // One by one: a value that another release took and this one does not costs only itself.
  for (const std::string& key : body->getMemberNames()) {
    json::Value one(::Json::objectValue);
    one[key] = (*body)[key];
    auto change = apply_settings(current_, one);
    if (!change) {
      log::info("api", "a stored setting is not possible any more, its default is in force",
                {{"why", change.error()}});
      continue;
    }
    current_ = std::move(change->settings);
  }
}

void SettingsStore::replace(Settings settings, Once<void(Result<void>)> done) {
  const auto saved = blobs_.save(kBlob, as_bytes(json::write(stored_form(settings))));
  if (!saved) return done(saved);
  const Settings before = current_;
  take(settings);
  blobs_.durable([self = alive_.weak(), before, settings,
                  done = std::move(done)](Result<void> durable) mutable {
    // What is not on disk must not look as if it were; a newer change stays, though.
    SettingsStore* me = self.get();
    if (me != nullptr && !durable && me->current_ == settings) me->take(before);
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
