#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/cloud_mailbox.h"
#include "posthorn/api/api.h"
#include "posthorn/api/notifier.h"
#include "posthorn/chat/files.h"
#include "posthorn/cloud/endpoint.h"
#include "posthorn/net/http_client.h"

namespace posthorn::daemon {

/// The box as the official Cloud API: the endpoint at the API's door, and webhooks of its form out
/// of the inbox. With the methods
///   GET  getCloudStatus    {"phoneNumberId", "wabaId", "callbackUrl", "sentence", "failing",
///                           "last", "whatToDo", "delivered", "failures", "refused": how many are
///                           on getRefusedNotifications' list, "notTold": [settings that keep
///                           something from the webhook], "templates": [{"name", "language",
///                           "sent", "replied", "replyShare"}]}
///   GET  getCloudSettings  (careToken) the same ids with "appSecret" and "verifyToken"
///   POST setCloudSettings  (careToken) {"callbackUrl", "verifyToken", "appSecret"}, each optional;
///                           a new callback must answer the challenge before it is kept
///   GET  getTemplates, POST getTemplateById {"templateId"}, POST sendTemplate {"chatId",
///                           "templateId", "params": [texts]}: those of Green-API's WABA instances
class CloudSide {
 public:
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    BlobStore& blobs;
    net::HttpClient& http;
    queue::RingFile& inbox;
    RefusedList& refused;
    api::OutboxPort& outbox;
    api::Notifier& notifier;
    api::SettingsStore& settings;
    chat::ReadMarks& read_marks;
    chat::Presence& presence;
    chat::Earlier& earlier;
    std::function<cloud::Endpoint::Account()> account;
    std::function<Status()> status;
    std::optional<api::FileOutside> files = {};
    /// As cloud::Endpoint::Outside has it.
    std::function<void(const std::string& body, const std::string& signature,
                       Once<void(int status)> done)>
        hear = {};
    std::string hear_verify_token = {};
    hours job_life{24};
    double rate_scale = 1.0;
    /// As cloud::Endpoint::Outside has them.
    std::function<std::optional<std::string>(const std::string& user_id)> chat_of_user_id = {};
    std::function<void(const std::string& chat, const std::string& wamid, cloud::Typing typing,
                       Once<void(Result<std::size_t>)> done)>
        mark_official = {};
    milliseconds webhook_wait{30'000};  ///< for the receiver's answer
    bool has_official = false;
  };

  /// Errors: io.
  [[nodiscard]] static Result<std::unique_ptr<CloudSide>> make(Outside outside);
  CloudSide(const CloudSide&) = delete;
  CloudSide& operator=(const CloudSide&) = delete;
  ~CloudSide();

  [[nodiscard]] api::Dialect& dialect() { return endpoint_; }
  [[nodiscard]] std::vector<api::Route> routes();
  /// A notification is on disk.
  void on_stored() { mailbox_.on_stored(); }
  /// A customer has written.
  void on_inbound(const std::string& chat, Wall at) { templates_.on_reply(chat, at); }
  /// The throttle's level may be another one: the receiver of webhooks is told when that changes
  /// the number's grade, also over restarts.
  void look_at_quality();
  /// The network came back.
  void retry_now() { courier_.retry_now(); }
  void stop();

 private:
  using Done = Once<void(Result<void>)>;

  CloudSide(Outside outside, cloud::BoxIdentity identity);
  void start();
  [[nodiscard]] cloud::Endpoint::Outside endpoint_outside();
  [[nodiscard]] cloud::WebhookContext webhook_context();
  [[nodiscard]] std::optional<cloud::ShownMedia> media_of(const std::string& chat,
                                                          const std::string& id,
                                                          const std::string& link);
  void aim();
  void set_callback(const std::string& url, const std::string& verify_token,
                    const std::optional<std::string>& secret, Done done);
  /// secret: nullopt leaves it as it is.
  void keep_callback(const std::string& url, const std::string& verify_token,
                     const std::optional<std::string>& secret, Done done);
  void keep_quality(const std::string& quality);
  [[nodiscard]] json::Value status_json() const;
  void set_settings(api::Call call);
  void send_template(api::Call call);

  Outside out_;
  cloud::BoxIdentity identity_;
  cloud::Templates templates_;
  cloud::MediaIds media_;
  cloud::Endpoint endpoint_;
  CloudMailbox mailbox_;
  webhooks::Courier courier_;
  std::string quality_;  ///< the newest that the receiver has been told, or is about to be
  Alive<CloudSide> alive_{this};
};

}  // namespace posthorn::daemon
