#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/api/http.h"
#include "posthorn/api/instance_state.h"
#include "posthorn/api/page.h"
#include "posthorn/api/ports.h"
#include "posthorn/api/settings.h"
#include "posthorn/api/state_history.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/json.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/status.h"
#include "posthorn/chat/chat_state.h"
#include "posthorn/chat/contacts.h"
#include "posthorn/chat/earlier.h"
#include "posthorn/chat/groups.h"
#include "posthorn/chat/people.h"
#include "posthorn/chat/phone_history.h"
#include "posthorn/chat/presence.h"
#include "posthorn/chat/read_marks.h"
#include "posthorn/chat/status_views.h"
#include "posthorn/journal/journal.h"
#include "posthorn/session/linking.h"

namespace posthorn::api {

/// What a request may do; each right includes those before it.
enum class Right : std::uint8_t {
  none,
  send,  ///< the till's token: send, receive, link, settings of Green-API
  care,  ///< the technician's: what touches the box itself, its keys or its pace
};

struct ApiOptions {
  std::uint64_t id_instance = 0;
  std::string token;       ///< Right::send; 50 lower-case hex characters
  std::string care_token;  ///< Right::care; the same form
  /// Right::care for people, at the page and in HTTP Basic; empty: whoever uses the page first sets
  /// one there.
  std::string page_password;
  /// Host names that requests may name, besides addresses and names that nobody can register.
  std::vector<std::string> names;
  hours job_life{24};       ///< expiry of accepted messages
  double rate_scale = 1.0;  ///< multiplies every HTTP rate limit; 0 switches them off (benchmarks)
  std::string version = "0";  ///< shown by /healthz
};

/// One call of a method after URL, token, rate and body have been looked at. Owns its request, so
/// that it may be moved into a callback and answered later.
struct Call {
  Request request;
  json::Value body;      ///< {} when there was none
  std::string argument;  ///< what stands behind the token: the receiptId
  Wall now;
  Reply reply;

  void send(const json::Value& answer);
  /// The same for JSON that is text already; "" sends an empty body.
  void send_text(std::string json_text);
  /// The error form of Green-API's cloud: statusCode, timestamp, path, message.
  void refuse(int status, std::string_view message);
  /// By the table that maps our errors to statuses and texts.
  void refuse(const Error& error);
};

/// What has to be there before a handler runs; otherwise 400 with the cloud's text.
enum class Needs : std::uint8_t {
  nothing,
  body,     ///< a JSON object (an absent body counts as {})
  session,  ///< the same, and a linked account that is online
};

/// One method of the API. Names are matched without regard to case.
struct Route {
  std::string name;
  Verb verb = Verb::get;
  double per_second = 1;
  Needs needs = Needs::nothing;
  std::function<void(Call call)> handler;
  /// 20,000 characters of text, each written as two \uXXXX escapes, and room for the rest.
  std::size_t body_limit = std::size_t{512} << 10;
  Right right = Right::send;
  /// Takes the body as it comes, instead of `handler`. head: without a body. Errors: as of a call,
  /// told before the body has come.
  std::function<Result<std::unique_ptr<BodySink>>(const Request& head)> receive = {};
};

/// Another language at the same door: its paths are its own, host names, tokens and the slow answer
/// to wrong ones are the API's.
class Dialect {
 public:
  virtual ~Dialect() = default;

  [[nodiscard]] virtual bool takes(std::string_view path) const = 0;
  /// Of those: whether anybody may ask it, because it proves itself another way.
  [[nodiscard]] virtual bool is_open(std::string_view path) const = 0;
  /// Of a request that showed a right; whoever showed none may send no body.
  [[nodiscard]] virtual Terms terms(const Request& head) = 0;
  /// The same when its body has come.
  virtual void handle(Request request, Reply reply) = 0;
  /// What whoever shows no right, or a wrong one, is told.
  [[nodiscard]] virtual Response refusal(const Request& request) = 0;
};

/// The JSON of GET /healthz for who has a right.
[[nodiscard]] std::string health_text(const Status& status, const std::string& version);

/// The Green-API compatible API without its sockets: requests in, answers out.
class Api final : public RequestHandler {
 public:
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    BlobStore& blobs;
    SettingsStore& settings;
    const InstanceState& state;
    OutboxPort& outbox;
    InboxPort& inbox;
    session::Linking& link;
    chat::People& people;
    chat::ReadMarks& read_marks;
    chat::Presence& presence;
    chat::Contacts& contacts;
    chat::ChatState& chat_state;
    chat::Earlier& earlier;
    chat::Groups& groups;
    std::function<Status()> status;
    /// Of getStateInstanceHistory; may be null.
    const StateHistory* history = nullptr;
    /// nullopt: the methods that carry files are absent.
    std::optional<FileOutside> files = {};
    /// One status more today; returns what gives it back when it is not queued after all. Errors:
    /// what the throttle says against it. May be empty.
    std::function<Result<std::function<void()>>()> charge_status = {};
    chat::StatusViews* status_views = nullptr;  ///< null: getStatusStatistic is always empty
    /// What was said; null: nothing is kept.
    journal::Journal* journal = nullptr;
    /// The one name of whom a chatId is, for the journal; may be empty.
    std::function<std::string(const std::string& chat)> account_of = {};
    /// Run once, when the Api is built: no job may leave before. May be empty: none waits.
    EachJob each_job = {};
    chat::PhoneHistory* phone_history = nullptr;  ///< null: there is no phone to ask
    /// A notification of the API's own goes to the inbox: avatarInfo, quotaExceeded. May be empty.
    std::function<void(const json::Value& notification)> tell = {};
    /// A number of the official API is set up.
    bool has_official = false;
  };

  /// Everything in `outside` outlives the Api.
  Api(ApiOptions options, Outside outside);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;
  ~Api() override;

  /// Adds a method under /waInstance{id}/{name}/{token}; later modules bring theirs this way.
  void add(Route route);
  /// Adds a page outside of that grammar, e.g. "/metrics"; `path` is matched whole. Where `right`
  /// is asked for it is shown in the header Authorization, as ?token= or as "/metrics/TOKEN".
  void add_page(std::string path, Right right, std::function<void(const Request&, Reply)> handler);

  /// The same for a page that everybody may read who knows its path, with all that is below it.
  void add_open_page(std::string path, std::function<void(const Request&, Reply)> handler);
  /// What others than Green-API's clients post, without a right, from pages of any origin: its path
  /// is matched whole, its body is at most so long.
  void add_open_post(std::string path, std::size_t body_limit,
                     std::function<void(const Request&, Reply)> handler);
  /// From here on people reach the box with a browser: "/", "/plain", "/session", "/password" and
  /// the page's files. Once.
  void serve_page(const Page& page);
  /// From here on requests that `dialect` takes are its own; it outlives the Api. Once.
  void speak(Dialect& dialect);
  /// Whoever holds the box pressed its button: a first password may be set again.
  void on_button();
  /// From here on the till's token is this one; the one before is refused.
  void set_token(std::string token);

  /// A notification was stored: answers the long polls that wait for one.
  void on_notification();
  /// Answers whatever still waits; call it before the server goes.
  void stop();

  [[nodiscard]] Terms terms(const Request& head) override;
  void handle(Request request, Reply reply) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::api
