#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/content.h"
#include "posthorn/base/json.h"
#include "posthorn/base/status.h"

namespace posthorn::cloud {

/// A file of a message as a webhook shows it.
struct ShownMedia {
  std::string id;  ///< for GET /{id}
  content::File file;
};

/// What a notification does not say itself.
struct WebhookContext {
  std::string waba_id, phone_number_id;
  std::string own_phone;  ///< digits
  /// The file of a message; link: its downloadUrl. May be empty.
  std::function<std::optional<ShownMedia>(const std::string& chat, const std::string& message_id,
                                          const std::string& link)>
      media_of;
  /// biz_opaque_callback_data of a message, "" for none. May be empty.
  std::function<std::string(const std::string& message_id)> callback_data_of;
};

/// The webhook of the official API for a notification of the box (Green-API's form, as the inbox
/// keeps it): one change. nullopt: it has no form there (a held job, a call, a state that says
/// nothing about the account). Pure but for the two questions above.
/// Source: Meta's webhook reference, v26.0.
[[nodiscard]] std::optional<json::Value> webhook_of(const json::Value& notification,
                                                    const WebhookContext& context);

/// The throttle's levels as the official API grades a number: GREEN, YELLOW, RED.
[[nodiscard]] const char* quality_of(Status::Throttle level);
/// The webhook phone_number_quality_update when that grade goes from one to the other. RED flags
/// the number; YELLOW means fewer messages a day than GREEN. How many is not Meta's tiers, so none
/// is named. Source: Meta's webhook reference, v26.0.
[[nodiscard]] json::Value quality_webhook(const std::string& before, const std::string& now,
                                          const WebhookContext& context);

}  // namespace posthorn::cloud
