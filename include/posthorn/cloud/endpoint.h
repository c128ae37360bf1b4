#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/api/api.h"
#include "posthorn/api/ports.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/status.h"
#include "posthorn/chat/earlier.h"
#include "posthorn/chat/presence.h"
#include "posthorn/chat/read_marks.h"
#include "posthorn/cloud/box_identity.h"
#include "posthorn/cloud/media_ids.h"
#include "posthorn/cloud/official_reads.h"
#include "posthorn/cloud/templates.h"

namespace posthorn::cloud {

/// What a failed status says when the box could not fetch a linked file; the rest of the sentence
/// follows. The webhook tells it as 131053.
inline constexpr const char* kLinkFailed = "the file could not be fetched from link";

/// The official Cloud API at the box's own door: software written for graph.facebook.com posts
/// here, and what it posts goes out by the linked account through the same queue and throttle as
/// everything else. Ids of the number and of the business are the box's own (BoxIdentity).
/// Source: Meta's reference, v23.0 to v26.0, and what eight clients send.
class Endpoint final : public api::Dialect {
 public:
  struct Account {
    std::string phone;  ///< digits; "" while none is linked
    std::string name;
  };
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    BlobStore& blobs;
    api::OutboxPort& outbox;
    chat::ReadMarks& read_marks;
    chat::Presence& presence;
    chat::Earlier& earlier;
    std::function<Account()> account;
    std::function<Status()> status;
    /// A job that ends before it is queued, with the description of its failed status.
    std::function<void(const Job& job, const std::string& why)> fail_job;
    /// Where the receiver of webhooks is changed. done: it has answered the challenge, and it is
    /// on disk; or why not. url: "" for none.
    std::function<void(const std::string& url, const std::string& verify_token,
                       Once<void(Result<void>)> done)>
        set_callback;
    /// A webhook of the real service on /webhook/cloud, for a box with the official transport;
    /// done: the status to answer with. Empty: there is no such path.
    std::function<void(const std::string& body, const std::string& signature,
                       Once<void(int status)> done)>
        hear = {};
    std::string hear_verify_token = {};  ///< what the service shows when it asks whose path that is
    hours job_life{24};
    double rate_scale = 1.0;  ///< 0: no limit of requests
    /// nullopt: messages with files are refused.
    std::optional<api::FileOutside> files = {};
    /// The chatId of a user id that the official number has heard of ("DE.1a2b"); nullopt: nobody
    /// is known by it. Empty: there is no such number.
    std::function<std::optional<std::string>(const std::string& user_id)> chat_of_user_id = {};
    /// Marks a message to the official number as read there, and shows "typing…" where asked; may
    /// be empty.
    std::function<void(const std::string& chat, const std::string& wamid, Typing typing,
                       Once<void(Result<std::size_t>)> done)>
        mark_official = {};
    bool has_official = false;  ///< a number of the real service is set up
  };

  /// Everything in `outside`, the identity, the templates and the media outlive the endpoint.
  Endpoint(BoxIdentity& identity, Templates& templates, MediaIds& media, Outside outside);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint() override;

  [[nodiscard]] bool takes(std::string_view path) const override;
  [[nodiscard]] bool is_open(std::string_view path) const override;
  [[nodiscard]] api::Terms terms(const api::Request& head) override;
  void handle(api::Request request, api::Reply reply) override;
  [[nodiscard]] api::Response refusal(const api::Request& request) override;

  /// Queues what a template says; sent: the object "template" of a POST, for its parameters. done:
  /// on disk, the idMessage. Errors: malformed (parameters), unsupported (a file in its header),
  /// full, io.
  void send_template(const std::string& chat, const Template& one, const json::Value& sent,
                     Once<void(Result<std::string>)> done);

  /// What the sender of a message wants to hear with each of its statuses; "": nothing.
  [[nodiscard]] std::string callback_data_of(const std::string& message_id) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::cloud
