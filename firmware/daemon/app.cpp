#include "daemon/app.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "daemon/access.h"
#include "daemon/board_link.h"
#include "daemon/event_tail.h"
#include "daemon/https.h"
#include "daemon/inbox.h"
#include "daemon/metrics.h"
#include "daemon/outbox.h"
#include "daemon/signals.h"
#include "daemon/throttle_api.h"
#include "daemon/throttle_config.h"
#include "posthorn/api/api.h"
#include "posthorn/api/notifier.h"
#include "posthorn/api/server.h"
#include "posthorn/api/session_link.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/net/dialer.h"
#include "posthorn/net/http_client.h"
#include "posthorn/queue/disk.h"
#include "posthorn/session/session.h"
#include "posthorn/store/store.h"
#include "posthorn/throttle/valve.h"
#include "posthorn/webhooks/courier.h"

namespace posthorn::daemon {

namespace {

constexpr std::string_view kClockBlob = "clock";
constexpr minutes kClockSave{10};
/// Message ids looked for in the inbox at start.
constexpr std::uint64_t kRecentNotifications = 4096;

Result<void> make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(Errc::io, "data directory " + path + ": " + std::strerror(errno));
}

/// The largest of the build time and the time saved last (chapter 04 section 9).
Wall clock_floor(BlobStore& blobs) {
  Wall floor = Wall::from_unix(POSTHORN_BUILD_TIME, false);
  const auto saved = blobs.load(kClockBlob);
  if (saved && *saved) {
    if (const auto parsed = json::parse(as_text(**saved))) {
      const Wall then = Wall::from_unix(json::int_of(*parsed).value_or(0), false);
      floor = std::max(floor, then);
    }
  }
  return floor;
}

/// The configuration's proxy; parse_config has looked at it.
std::optional<Proxy> proxy_of(const Config& config) {
  if (config.network.proxy.empty()) return std::nullopt;
  auto proxy = parse_proxy(config.network.proxy);
  return proxy ? std::optional(std::move(*proxy)) : std::nullopt;
}

/// Whether a number is on WhatsApp, asked by the throttle before a first contact.
class Checker final : public throttle::NumberChecker {
 public:
  explicit Checker(session::Session& session) : session_(session) {}

  void on_whatsapp(const std::string& chat, Once<void(Result<bool>)> done) override {
    const std::string user = chat.substr(0, chat.find('@'));
    if (!chat.ends_with("@c.us")) {
      done(true);  // a group or a LID came from WhatsApp itself
      return;
    }
    session_.check_numbers({user}, [done = std::move(done)](auto answer) mutable {
      if (!answer) {
        done(tl::unexpected(answer.error()));
      } else if (answer->empty()) {
        done(fail(Errc::malformed, "no answer about the number"));
      } else {
        done(answer->front().exists);
      }
    });
  }

 private:
  session::Session& session_;
};

/// A message id out of a stored notification, when it is about a message that came in.
std::optional<std::string> incoming_id(ByteView notification) {
  const auto parsed = json::parse(as_text(notification));
  if (!parsed) return std::nullopt;
  const auto type = json::string_at(*parsed, "typeWebhook");
  if (type != "incomingMessageReceived" && type != "outgoingMessageReceived") return std::nullopt;
  return json::string_at(*parsed, "idMessage");
}

}  // namespace

class App::Impl final : private throttle::Listener {
 public:
  Impl(loop::Loop& loop, const Config& config) : loop_(loop), config_(config) {}
  ~Impl() override { stop(); }

  Result<void> start();
  void stop();
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::string https_url() const;
  [[nodiscard]] const Access& access() const { return access_; }
  [[nodiscard]] Status status() const;

 private:
  [[nodiscard]] std::string url_of(const char* scheme, std::uint16_t port) const;
  Result<void> open_stores();
  Result<void> build();

  // notify: net -> wire -> session -> here -> inbox -> webhook or long poll
  void on_event(session::Event event, Once<void(Result<void>)> stored);
  void tell_throttle(const session::Event& event);
  void store_notification(std::string body, api::NotificationKind kind,
                          Once<void(Result<void>)> stored);
  void on_settings(const api::Settings& settings);

  // What the throttle tells.
  void on_fate(const throttle::Fate& fate, Once<void()> settled) override;
  void on_level(const throttle::LevelChange& change) override;
  void ask_restriction() override;
  void confirm_opt_out(const std::string& chat, const std::string& text) override;
  void tell_operator(const std::string& sentence) override;

  [[nodiscard]] std::string metrics() const;
  void save_clock();
  void on_wish(board::Wish wish);

  loop::Loop& loop_;
  Config config_;
  Access access_;
  loop::PoolWorker worker_{loop_};
  loop::SystemRandom random_;
  queue::PosixDisk disk_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<queue::RingFile> outbox_ring_;
  std::unique_ptr<queue::RingFile> inbox_ring_;
  std::unique_ptr<api::SettingsStore> settings_;
  std::unique_ptr<net::NetDialer> dialer_;
  std::unique_ptr<session::Session> session_;
  std::unique_ptr<Checker> checker_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<throttle::Valve> valve_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<api::Notifier> notifier_;
  std::unique_ptr<api::SessionLink> link_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<api::Server> server_;
  std::unique_ptr<Https> https_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<InboxMailbox> mailbox_;
  std::unique_ptr<webhooks::Courier> courier_;
  std::unique_ptr<BoardLink> board_;
  Counters counters_;
  bool linking_ = false;  ///< a phone is being linked: going online then is news for the throttle
  EventTail tail_{loop_};
  Timer clock_timer_{loop_};
};

Result<void> App::Impl::start() {
  TRY(open_stores());
  TRY(build());
  TRY(auto settings, throttle_settings(config_.throttle));
  TRY(valve_->start(settings));
  if (config_.throttle.number_in_use_months > 0) {
    // Declared before: that is the ordinary case on every later start.
    (void)valve_->declare_in_use(config_.throttle.number_in_use_months, "posthorn.toml");
  }
  api::ServerOptions server;
  server.listen = config_.api.listen;
  server.port = config_.api.port;
  TRY(server_, api::serve(loop_, server, *api_));
  if (config_.api.https_port) {
    server.port = *config_.api.https_port;
    TRY(https_, Https::start({loop_, *store_, *clock_, random_, *api_}, server));
  }
  TRY(write_access_file(config_.data_dir, url(), access_));
  board_ = std::make_unique<BoardLink>(
      loop_, config_.board, [this] { return status(); },
      [this](board::Wish wish) { on_wish(wish); });
  session_->start();
  save_clock();
  return {};
}

Result<void> App::Impl::open_stores() {
  TRY(make_directory(config_.data_dir));
  const auto reset = begin_reset(config_.data_dir);
  TRY(auto opened, store::Store::open(config_.data_dir + "/posthorn.db", worker_));
  store_ = std::move(opened.store);
  if (!opened.set_aside.empty()) {
    log::error("store", "the database was damaged and was set aside; link the phone again",
               {{"copy", opened.set_aside}, {"damage", opened.damage}});
  }
  if (reset) {
    log::warn("posthornd", "settings and API token are as on the first day");
    TRY(store_->erase("settings"));
    TRY(store_->erase("api/access"));
    end_reset(config_.data_dir);
  }
  clock_ = std::make_unique<Clock>(loop_, clock_floor(*store_));
  TRY(access_, load_access(*store_, config_.api, random_));
  const auto open_ring = [this](const char* name, std::uint64_t bytes, queue::WhenFull when_full) {
    queue::RingFile::Options options;
    options.path = config_.data_dir + "/" + name;
    options.bytes = bytes;
    options.when_full = when_full;
    return queue::RingFile::open(disk_, loop_, worker_, random_, options);
  };
  TRY(outbox_ring_, open_ring("outbox.ring", config_.queue.outbox_bytes, queue::WhenFull::refuse));
  TRY(inbox_ring_,
      open_ring("inbox.ring", config_.queue.inbox_bytes, queue::WhenFull::drop_oldest));
  for (const auto& [name, ring] :
       {std::pair{"outbox", outbox_ring_.get()}, std::pair{"inbox", inbox_ring_.get()}}) {
    const queue::Recovery& found = ring->recovery();
    log::info("queue", "opened",
              {{"queue", name},
               {"pending", found.pending},
               {"torn", found.torn},
               {"damaged", found.damaged},
               {"set_aside", found.set_aside}});
  }
  return {};
}

Result<void> App::Impl::build() {
  settings_ = std::make_unique<api::SettingsStore>(*store_);

  // The session, and the sink that takes its events.
  dialer_ = std::make_unique<net::NetDialer>(
      loop_, worker_, random_,
      [this] { return loop_.system_wall() >= Wall::from_unix(POSTHORN_BUILD_TIME); },
      proxy_of(config_));
  session_ = std::make_unique<session::Session>(
      config_.whatsapp,
      session::Session::Outside{loop_, *clock_, random_, worker_, *dialer_, *store_},
      [this](session::Event event, Once<void(Result<void>)> stored) {
        on_event(std::move(event), std::move(stored));
      });

  // send: api -> outbox -> throttle -> session -> wire -> net
  checker_ = std::make_unique<Checker>(*session_);
  outbox_ = std::make_unique<Outbox>(*outbox_ring_);
  valve_ = std::make_unique<throttle::Valve>(
      throttle::Valve::Outside{loop_, *clock_, random_, *store_, *outbox_, *session_, *checker_,
                               *this, &throttle::local_offset});
  outbox_->join(*valve_);

  // notify: session -> notifier -> inbox -> long poll | webhook
  inbox_ = std::make_unique<Inbox>(*inbox_ring_, loop_, *clock_, config_.queue.keep);
  notifier_ = std::make_unique<api::Notifier>(api::Notifier::Outside{
      loop_, *clock_, *store_, *settings_,
      [this] {
        const session::Account account = session_->account();
        return api::Instance{access_.id_instance,
                             account.phone.empty() ? "" : account.phone + "@c.us",
                             account.push_name};
      },
      [this](std::string body, api::NotificationKind kind, Once<void(Result<void>)> stored) {
        store_notification(std::move(body), kind, std::move(stored));
      }});

  // ask: api -> session
  link_ = std::make_unique<api::SessionLink>(*session_);
  api::ApiOptions options;
  options.id_instance = access_.id_instance;
  options.token = access_.token;
  options.job_life = config_.queue.keep;
  options.version = POSTHORN_VERSION;
  api_ = std::make_unique<api::Api>(
      options, api::Api::Outside{loop_, *clock_, random_, *store_, *settings_, notifier_->state(),
                                 *outbox_, *inbox_, *link_, [this] { return status(); },
                                 [this] { valve_->resume(); }});
  api_->add(tail_.route());
  for (api::Route& route : throttle_routes(*valve_)) api_->add(std::move(route));
  // Public as every certificate: for tills that want to pin it.
  api_->add_page("/certificate.pem", api::Verb::get, [this](const api::Request&, api::Reply reply) {
    if (!https_) return reply.send({.status = 404, .body = "", .headers = {}});
    reply.send(
        {.body = https_->certificate(), .content_type = "application/x-pem-file", .headers = {}});
  });
  api_->add_page("/metrics", api::Verb::get, [this](const api::Request&, api::Reply reply) {
    reply.send({.body = metrics(), .content_type = "text/plain; version=0.0.4", .headers = {}});
  });

  http_ = net::make_http_client(loop_);
  mailbox_ = std::make_unique<InboxMailbox>(*inbox_);
  courier_ = std::make_unique<webhooks::Courier>(
      webhooks::CourierOptions{}, webhooks::Courier::Outside{loop_, *http_, *mailbox_});
  inbox_->on_head([this] {
    api_->on_notification();
    courier_->on_notification();
  });
  settings_->on_change([this](const api::Settings& settings) { on_settings(settings); });
  on_settings(settings_->current());

  std::vector<std::string> recent;
  TRY(inbox_ring_->for_each_recent(kRecentNotifications,
                                   [this, &recent](const queue::Entry&, ByteView notification) {
                                     notifier_->remember(as_text(notification));
                                     if (auto id = incoming_id(notification)) {
                                       recent.push_back(std::move(*id));
                                     }
                                   }));
  session_->known_recent(recent);
  return {};
}

void App::Impl::stop() {
  if (clock_) save_clock();
  clock_timer_.stop();
  board_.reset();
  tail_.stop();
  if (api_) api_->stop();
  https_.reset();
  server_.reset();
  if (courier_) courier_->stop();
  if (valve_) valve_->stop();
  if (session_) session_->stop();
  // In reverse order of build(); the rings answer what is still open with `cancelled`.
  courier_.reset();
  mailbox_.reset();
  http_.reset();
  api_.reset();
  link_.reset();
  session_.reset();
  valve_.reset();
  outbox_.reset();
  checker_.reset();
  outbox_ring_.reset();
  inbox_ring_.reset();
  notifier_.reset();
  inbox_.reset();
  dialer_.reset();
  settings_.reset();
  store_.reset();
}

void App::Impl::on_event(session::Event event, Once<void(Result<void>)> stored) {
  counters_.on_event(event);
  tell_throttle(event);
  if (const auto* message = std::get_if<session::Message>(&event)) {
    if (!message->from_me && settings_->current().mark_incoming_messages_readed) {
      session_->mark_read(message->chat, message->id, [](Result<std::size_t>) {});
    }
  }
  notifier_->on_event(event, std::move(stored));
}

void App::Impl::tell_throttle(const session::Event& event) {
  if (const auto* message = std::get_if<session::Message>(&event)) {
    if (message->from_me) {
      valve_->on_own_send(message->chat, message->timestamp);
    } else {
      valve_->on_inbound(message->chat, message->text, message->timestamp);
    }
  } else if (const auto* receipt = std::get_if<session::Receipt>(&event)) {
    valve_->on_delivered(receipt->message_id);
  } else if (const auto* restriction = std::get_if<session::Restriction>(&event)) {
    valve_->on_signal(to_signal(*restriction));
  } else if (const auto* change = std::get_if<session::StateChanged>(&event)) {
    if (change->state == session::State::pairing) linking_ = true;
  } else if (const auto* link = std::get_if<session::Connectivity>(&event)) {
    if (link->online) {
      if (std::exchange(linking_, false)) {
        throttle::Signal relinked;
        relinked.kind = throttle::Signal::Kind::relinked;
        const bool was_unlinked = valve_->status().signal == "unlinked";
        valve_->on_signal(relinked);
        // Whoever scans the code holds the shop's phone: that is the operator's word for an unlink,
        // though not for a ban.
        if (was_unlinked) (void)valve_->acknowledge("phone", "the phone was linked again");
      }
      valve_->on_connected();
      courier_->retry_now();
    } else {
      valve_->on_disconnected();
    }
  }
}

void App::Impl::store_notification(std::string body, api::NotificationKind kind,
                                   Once<void(Result<void>)> stored) {
  tail_.add(body);
  inbox_->append(std::move(body), kind, std::move(stored));
}

void App::Impl::on_settings(const api::Settings& settings) {
  courier_->set_target({settings.webhook_url, settings.webhook_url_token});
  if (const auto set = valve_->set_delay(settings.delay_send_messages); !set) {
    log::warn("throttle", "delaySendMessagesMilliseconds was not taken", {{"error", set.error()}});
  }
}

void App::Impl::on_fate(const throttle::Fate& fate, Once<void()> settled) {
  using Kind = throttle::Fate::Kind;
  counters_.on_fate(fate);
  api::MessageStatus status = api::MessageStatus::failed;
  switch (fate.kind) {
    case Kind::sent:
      status = api::MessageStatus::sent;
      break;
    case Kind::failed:
      status = api::MessageStatus::failed;
      break;
    case Kind::no_account:
      status = api::MessageStatus::no_account;
      break;
    case Kind::held:
      status = api::MessageStatus::yellow_card;
      break;
  }
  if (fate.kind == Kind::sent && settings_->current().mark_incoming_messages_readed_on_reply) {
    session_->mark_read(fate.job.chat, "", [](Result<std::size_t>) {});
  }
  notifier_->on_job(fate.job, status, fate.description, fate.time,
                    [settled = std::move(settled)](Result<void> stored) mutable {
                      // A status that the disk refused must not keep the job from ending.
                      if (!stored) log::error("inbox", "status lost", {{"error", stored.error()}});
                      settled();
                    });
}

void App::Impl::on_level(const throttle::LevelChange& change) {
  log::warn("throttle", "level changed",
            {{"from", throttle::to_string(change.from)},
             {"to", throttle::to_string(change.to)},
             {"signal", change.signal}});
  notifier_->on_throttle(change.to);
  if (board_) board_->refresh();
}

void App::Impl::ask_restriction() {
  // The session asks the account by itself after every 463, at login and on its schedule
  // (chapter 04 section 10.3); the answer arrives as a Restriction event.
}

void App::Impl::confirm_opt_out(const std::string& chat, const std::string& text) {
  Job job;
  job.chat = chat;
  job.text = text;
  job.accepted_at = clock_->now();
  job.expires_at = job.accepted_at + config_.queue.keep;
  job.id = make_message_id(random_, job.accepted_at, session_->account().phone);
  outbox_->accept(std::move(job), [](Result<std::string> accepted) {
    if (!accepted) {
      log::warn("throttle", "opt-out confirmation not queued", {{"error", accepted.error()}});
    }
  });
}

void App::Impl::tell_operator(const std::string& sentence) { log::warn("throttle", sentence); }

std::string App::Impl::metrics() const {
  std::vector<throttle::Metric> all = valve_->metrics();
  const Wall now = clock_->now();
  add_ring(all, "outbox", outbox_ring_->status(), now);
  add_ring(all, "inbox", inbox_ring_->status(), now);
  counters_.add_to(all);
  const webhooks::Courier::Counters& courier = courier_->counters();
  all.push_back({"webhook_delivered_total", "", static_cast<double>(courier.delivered), true});
  all.push_back({"webhook_failures_total", "", static_cast<double>(courier.failures), true});
  add_process(all);
  return metrics_text(all);
}

void App::Impl::save_clock() {
  const Wall now = clock_->now();
  if (now.trusted) {
    if (const auto saved = store_->save(kClockBlob, as_bytes(std::to_string(now.unix_seconds())));
        !saved) {
      log::warn("clock", "time not saved", {{"error", saved.error()}});
    }
  }
  clock_timer_.start(kClockSave, [this] { save_clock(); });
}

void App::Impl::on_wish(board::Wish wish) {
  log::warn("board", "the button asks for a reset", {{"wish", static_cast<int>(wish)}});
  if (const auto asked = request_reset(config_.data_dir, wish); !asked) {
    log::error("board", "the reset cannot be written down", {{"error", asked.error()}});
    return;
  }
  // The network is the system's; the rest is done by our own next start.
  if (wish != board::Wish::reset_network) loop_.stop();
}

std::string App::Impl::https_url() const { return https_ ? url_of("https", https_->port()) : ""; }

std::string App::Impl::url() const { return url_of("http", server_->port()); }

std::string App::Impl::url_of(const char* scheme, std::uint16_t port) const {
  const bool any = config_.api.listen == "0.0.0.0" || config_.api.listen == "::";
  const std::string host = any ? "127.0.0.1" : config_.api.listen;
  return std::string(scheme) + "://" +
         (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(port);
}

Status App::Impl::status() const {
  using session::State;
  Status status;
  switch (session_->state()) {
    case State::offline:
    case State::connecting:
    case State::handshaking:
    case State::syncing:
      status.link = Status::Link::starting;
      break;
    case State::pairing:
    case State::logged_out:
      status.link = Status::Link::not_linked;
      break;
    case State::online:
      status.link = Status::Link::online;
      break;
    case State::backing_off:
      status.link = Status::Link::reconnecting;
      break;
    case State::paused:
    case State::replaced:
      status.link = Status::Link::paused;
      break;
    case State::blocked:
      status.link = Status::Link::blocked;
      break;
  }
  const session::StateChanged& detail = session_->state_detail();
  status.link_cause = detail.cause;
  status.what_to_do = detail.what_to_do;
  status.until = detail.until;
  status.throttle = valve_->level();
  if (!status.until) status.until = valve_->status().until;
  status.outbox_jobs = outbox_->count();
  status.inbox_notifications = inbox_->count();
  status.storage_ok =
      store_->healthy() && !outbox_ring_->status().fault && !inbox_ring_->status().fault;
  status.clock_trusted = clock_->now().trusted;
  return status;
}

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
App::~App() = default;

Result<std::unique_ptr<App>> App::start(loop::Loop& loop, const Config& config) {
  auto impl = std::make_unique<Impl>(loop, config);
  TRY(impl->start());
  return std::unique_ptr<App>(new App(std::move(impl)));
}

std::string App::url() const { return impl_->url(); }
std::string App::https_url() const { return impl_->https_url(); }
std::uint64_t App::id_instance() const { return impl_->access().id_instance; }
const std::string& App::token() const { return impl_->access().token; }
Status App::status() const { return impl_->status(); }

}  // namespace posthorn::daemon
