#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/json.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::api {

/// What getSettings shows and setSettings changes; the member defaults are the box's defaults.
/// Names and meanings are Green-API's. Documented keys that mean nothing here have no member: see
/// kInert in settings.cpp.
struct Settings {
  std::string webhook_url;  ///< "": poll mode. Kept byte for byte as given
  std::string webhook_url_token;
  milliseconds delay_send_messages{5000};  ///< 500 ms .. 10 min
  bool mark_incoming_messages_readed = false;
  bool mark_incoming_messages_readed_on_reply = false;
  bool outgoing_webhook = true;  ///< outgoingMessageStatus; noAccount and failed come anyway
  bool outgoing_message_webhook = false;
  bool outgoing_api_message_webhook = false;
  bool incoming_webhook = true;
  bool status_instance_webhook = false;
  bool state_webhook = true;
  bool keep_online_status = false;
  bool poll_message_webhook = true;
  bool incoming_call_webhook = true;
  bool incoming_block_webhook = false;
  bool avatar_info_webhook = false;
  bool edited_message_webhook = false;
  bool deleted_message_webhook = false;
  std::int64_t auto_typing = 0;  ///< seconds of "typing…" before each text, 0 .. 10
  bool link_preview = true;      ///< of texts that do not say whether they want one

  // Extensions of the box: shown by getSettings only while they differ from the default, because
  // some clients map the answer onto a closed class.
  std::string webhook_url_pinned_key;  ///< "sha256//…": the receiver's key, whoever signed it
  std::string webhook_url_ca;          ///< PEM: the only authorities for the receiver
  bool strict_validation = false;      ///< unknown body fields are refused, as in the cloud
  bool reject_calls = false;           ///< calls that come in are rejected at once
  bool call_details = false;   ///< incomingCall says isVideo, avatarInfo existsWhatsapp and reason
  bool quota_webhook = false;  ///< quotaExceeded when the queue is full
  bool interactive_fallback = true;  ///< buttons are sent as numbered lines; else refused
  std::string restriction_state_name = "yellowCard";  ///< or "suspended"

  bool operator==(const Settings&) const = default;
};

/// The answer of getSettings. wid: own account ("4915550001234@c.us"), "" when not authorized.
[[nodiscard]] json::Value settings_to_json(const Settings& settings, const std::string& wid);

struct SettingsChange {
  Settings settings;
  std::vector<std::string> unknown;  ///< keys that mean nothing here; ignored
};
/// `base` with the members of `body` applied. Booleans come as true/false or "yes"/"no", numbers
/// also as text, read-only keys are ignored; what the box cannot do is refused in words.
/// Errors: malformed; detail is the message of the 400 answer without "Validation failed. Details:
/// ".
[[nodiscard]] Result<SettingsChange> apply_settings(const Settings& base, const json::Value& body);

/// The settings in force, kept in the BlobStore under "settings".
class SettingsStore {
 public:
  /// blobs outlives the store. A damaged blob is reported in the log and gives the defaults.
  explicit SettingsStore(BlobStore& blobs);
  SettingsStore(const SettingsStore&) = delete;
  SettingsStore& operator=(const SettingsStore&) = delete;

  [[nodiscard]] const Settings& current() const { return current_; }
  /// In force at once; done runs when it is on disk. Errors: io (then the old ones are in force).
  void replace(Settings settings, Once<void(Result<void>)> done);
  /// Called after every change, with the new settings in force; several may listen.
  void on_change(std::function<void(const Settings&)> listener);

 private:
  void take(Settings settings);

  BlobStore& blobs_;
  Settings current_;
  std::vector<std::function<void(const Settings&)>> listeners_;
  Alive<SettingsStore> alive_{this};
};

}  // namespace posthorn::api
