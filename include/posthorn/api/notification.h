#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/api/instance_state.h"
#include "posthorn/api/settings.h"
#include "posthorn/base/job.h"
#include "posthorn/base/json.h"
#include "posthorn/chat/events.h"
#include "posthorn/session/events.h"

/// Green-API's notifications, in exactly the documented shapes: receivers with closed classes lose
/// a notification that carries one key more or less. All functions are pure; nullopt: the settings
/// do not want it, or Green-API has no form for it.
namespace posthorn::api {

/// Who we are, for instanceData and for messages of our own.
struct Instance {
  std::uint64_t id = 0;
  std::string wid;   ///< "4915550001234@c.us"; "" while not authorized
  std::string name;  ///< own push name
};

/// Message, Receipt, Call and Blocked events.
[[nodiscard]] std::optional<json::Value> to_notification(const chat::Event& event,
                                                         const Settings& settings,
                                                         const Instance& instance);
/// Connectivity events (statusInstanceChanged). StateChanged and Restriction give nullopt: what
/// they mean for the instance is known only together, see build_state_changed.
[[nodiscard]] std::optional<json::Value> to_notification(const session::Event& event,
                                                         const Settings& settings,
                                                         const Instance& instance, Wall now);

/// stateInstanceChanged.
[[nodiscard]] std::optional<json::Value> build_state_changed(InstanceState::Value value,
                                                             const Settings& settings,
                                                             const Instance& instance, Wall now);

/// messageData of a message, and of a job as the one it becomes; nullopt: Green-API has no form for
/// it. Whatever the settings say: the journal keeps them too.
[[nodiscard]] std::optional<json::Value> build_message_data(const Content& content);
[[nodiscard]] std::optional<json::Value> build_job_data(const Job& job);

/// What a job that quotes answers, as far as it is remembered; nullopt: it is not.
using QuoteOf = std::function<std::optional<Quote>(const Job& job)>;
/// The job with what it answers, which it knows by its id only. quote_of may be empty.
[[nodiscard]] Job with_quote(Job job, const QuoteOf& quote_of);

/// outgoingAPIMessageReceived, for a job that the server has taken; of what it answers as much is
/// told as its quote knows, see with_quote().
[[nodiscard]] std::optional<json::Value> build_api_message(const Job& job, const Settings& settings,
                                                           const Instance& instance, Wall sent_at);

/// What getAvatarAsync has found.
struct AvatarInfo {
  std::string chat;
  bool exists = true;  ///< on WhatsApp
  std::string url;     ///< empty: none, or hidden
  std::string reason;  ///< why nothing is known; else empty
};
/// deviceInfo with avatarInfo. Receivers with closed classes know chatId and urlAvatar only; the
/// rest comes with callDetails.
[[nodiscard]] std::optional<json::Value> build_avatar_info(const AvatarInfo& info,
                                                           const Settings& settings,
                                                           const Instance& instance, Wall now);

/// quotaExceeded: a method was refused because the queue holds all that it can.
[[nodiscard]] std::optional<json::Value> build_quota_exceeded(std::string_view method,
                                                              std::uint64_t queued,
                                                              const Settings& settings,
                                                              const Instance& instance, Wall now);

/// Values of outgoingMessageStatus.
enum class MessageStatus : std::uint8_t {
  sent = 0,
  delivered = 1,
  read = 2,
  failed = 3,
  no_account = 4,
  not_in_group = 5,
  yellow_card = 6,
};
[[nodiscard]] std::string_view to_string(MessageStatus status);
/// nullopt: not one of them.
[[nodiscard]] std::optional<MessageStatus> parse_message_status(std::string_view name);

struct StatusReport {
  std::string id;
  std::string chat;
  MessageStatus status = MessageStatus::sent;
  std::string description;  ///< with failed and noAccount: why, for people
  Wall at;
  bool sent_by_api = true;
  std::string external_id = {};  ///< the till's own number; empty: it gave none
};
/// outgoingMessageStatus; noAccount and failed come whatever the settings say.
[[nodiscard]] std::optional<json::Value> build_message_status(const StatusReport& report,
                                                              const Settings& settings,
                                                              const Instance& instance);

}  // namespace posthorn::api
