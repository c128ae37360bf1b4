#include "daemon/appliance.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <future>
#include <iterator>
#include <utility>

#include "daemon/access.h"
#include "daemon/access_api.h"
#include "daemon/app.h"
#include "daemon/board_link.h"
#include "daemon/care.h"
#include "daemon/https.h"
#include "daemon/identity.h"
#include "daemon/network_api.h"
#include "daemon/recent_log.h"
#include "daemon/restore.h"
#include "daemon/support_bundle.h"
#include "daemon/throttle_api.h"
#include "daemon/throttle_config.h"
#include "page/files.h"
#include "posthorn/api/green_api_names.h"
#include "posthorn/api/server.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/files/store.h"
#include "posthorn/net/dialer.h"
#include "posthorn/net/http_client.h"
#include "posthorn/net/listener.h"
#include "posthorn/queue/disk.h"
#include "posthorn/store/store.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

namespace {

/// Root's side tells here how an update went.
constexpr const char* kRunDirectory = "/run/posthorn";
constexpr const char* kLoopback = "127.0.0.1";
constexpr std::string_view kClockBlob = "clock";
constexpr auto kIdentityFolder = "/identity";
/// As src/api/page/password.cpp keeps it.
constexpr const char* kPagePasswordBlob = "page/password";
/// What nobody can make again: kept twice (store/store.h). The link, and what was set.
constexpr const char* kVital[] = {"session.credentials", "settings", "settings/throttle",
                                  kPagePasswordBlob};
constexpr minutes kClockSave{10};
/// How often the store is asked whether it can still be trusted.
constexpr seconds kHealthCheck{1};
/// A card that takes longer than this for two syncs is not waited for when the program ends.
constexpr seconds kFlushAtMost{5};
/// What a program that is killed may lose of what was sent (store/lease.h says why it may).
constexpr int kChecksPerWrite = 30;
/// Time for the fault to be seen on the LED and in /healthz before the program starts again.
constexpr seconds kShowFault{5};
constexpr auto kLinkAgain =
    "Link the shop's phone again: the box's memory of the link was damaged and has been set aside.";

Result<void> make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(Errc::io, "data directory " + path + ": " + std::strerror(errno));
}

/// The time known last.
Wall saved_time(BlobStore& blobs) {
  const auto saved = blobs.load(kClockBlob);
  if (!saved || !*saved) return {};
  const auto parsed = json::parse(as_text(**saved));
  return parsed ? Wall::from_unix(json::int_of(*parsed).value_or(0), false) : Wall{};
}

std::string folder_of(const std::string& path) { return path.substr(0, path.find_last_of('/')); }

/// Why there is no certificate to be had, and what to do.
constexpr std::string_view kNoHttps =
    "HTTPS is off on this box, so it has no certificate to give: set https_port in posthorn.toml, "
    "section [api].\n";
constexpr std::string_view kHttpsSilent =
    "HTTPS does not listen, so there is no certificate to give: the log says why (its port may be "
    "taken).\n";

/// A test has one of its own.
std::string run_dir() {
  const char* given = std::getenv("POSTHORN_RUN_DIR");
  return given != nullptr ? given : kRunDirectory;
}

/// How requests may call the box, besides by its addresses.
std::vector<std::string> host_names(const Config& config) {
  std::vector<std::string> names = own_names();
  names.insert(names.end(), config.api.names.begin(), config.api.names.end());
  std::string_view url = config.api.public_url;
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find('/'));
    names.emplace_back(url.substr(0, url.find(':')));
  }
  return names;
}

/// The configuration's proxy; parse_config has looked at it.
std::optional<Proxy> proxy_of(const Config& config) {
  if (config.network.proxy.empty()) return std::nullopt;
  auto proxy = parse_proxy(config.network.proxy);
  return proxy ? std::optional(std::move(*proxy)) : std::nullopt;
}

}  // namespace

class Appliance::Impl {
 public:
  Impl(loop::Loop& loop, const Config& config) : loop_(loop), config_(config) {}
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> start();
  void stop();
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::string https_url() const;
  [[nodiscard]] const Access& access() const { return access_; }
  [[nodiscard]] Status status() const { return app_->status(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  [[nodiscard]] std::string url_of(const char* scheme, std::uint16_t port) const;
  Result<void> open_store();
  static void tell_of_damage(const store::Store::Opened& opened);
  Result<void> open_rest();
  using Ring = std::future<Result<std::unique_ptr<queue::RingFile>>>;
  /// Being opened. Whoever drops it waits for the end of that.
  struct Rings {
    Ring outbox, inbox;
  };
  Rings begin_rings();
  Result<void> take_rings(Rings rings);
  Result<void> build();
  /// A port of the box for one printer.
  struct TillPort {
    std::size_t printer = 0;
    std::uint16_t port = 0;
    bool lpd = false;
    std::unique_ptr<net::Listener> listener = {};  ///< null: it cannot be had
  };
  void listen_for_tills();
  [[nodiscard]] Result<void> listen_for_till(TillPort& till);
  void save_clock();
  void flush_rings();
  void watch_store();
  void on_wish(board::Wish wish);
  [[nodiscard]] std::unique_ptr<Care> make_care();
  [[nodiscard]] std::unique_ptr<AccessApi> make_access_api();
  [[nodiscard]] std::string board_text() const;
  [[nodiscard]] std::string audit_text() const;
  [[nodiscard]] NamedTexts support_texts() const;

  loop::Loop& loop_;
  Config config_;
  Access access_;
  loop::PoolWorker worker_{loop_};
  loop::SystemRandom random_;
  std::unique_ptr<store::Store> store_;
  bool reset_ = false;      ///< settings and token are to be as on the first day
  bool set_aside_ = false;  ///< the database was damaged: the phone must be linked again
  std::unique_ptr<Identity> identity_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<files::Store> files_;
  std::unique_ptr<queue::RingFile> outbox_ring_;
  std::unique_ptr<queue::RingFile> inbox_ring_;
  std::unique_ptr<net::NetDialer> dialer_;
  std::unique_ptr<net::NetDialer> printer_dialer_;  ///< null without printers
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<App> app_;
  std::vector<TillPort> tills_;
  std::unique_ptr<api::Server> server_;
  std::unique_ptr<Https> https_;
  std::unique_ptr<BoardLink> board_;
  std::unique_ptr<Care> care_;
  std::unique_ptr<AccessApi> access_api_;
  bool failed_ = false;
  int checks_ = 0;
  Timer clock_timer_{loop_};
  Timer health_timer_{loop_};
  Timer tills_timer_{loop_};
};

Result<void> Appliance::Impl::start() {
  TRY(open_store());
  Rings rings = begin_rings();
  TRY(open_rest());
  TRY(take_rings(std::move(rings)));
  TRY(build());
  // First: the name is looked up and the line is made while we do the rest.
  app_->connect();
  api::ServerOptions server;
  server.listen = config_.api.plain_http ? config_.api.listen : kLoopback;
  server.port = config_.api.port;
  TRY(server_, api::serve(loop_, server, app_->api()));
  if (config_.api.https_port) {
    server.listen = config_.api.listen;
    server.port = *config_.api.https_port;
    TRY(https_, Https::start({loop_, *identity_, *clock_, random_, app_->api(),
                              api::green_api_names(config_.api.names)},
                             server));
  }
  for (std::size_t i = 0; app_->receipts() != nullptr && i < config_.printers.size(); ++i) {
    if (!config_.printers[i].trouble.empty()) continue;
    tills_.push_back({i, config_.printers[i].listen, false});
    if (config_.printers[i].lpd != 0) tills_.push_back({i, config_.printers[i].lpd, true});
  }
  listen_for_tills();
  TRY(write_access_file(config_.data_dir, url(), access_));
  board_ = std::make_unique<BoardLink>(
      loop_, config_.board, [this] { return status(); },
      [this](board::Wish wish) { on_wish(wish); });
  save_clock();
  watch_store();
  return {};
}

/// print: a port of the box for each printer. One that cannot be had (another program has it, the
/// box's address is not there yet) is told and tried again; the rest of the box works without it.
void Appliance::Impl::listen_for_tills() {
  constexpr seconds kTryAgain{30};
  bool all = true;
  for (TillPort& till : tills_) {
    if (till.listener) continue;
    const auto listening = listen_for_till(till);
    app_->receipts()->on_listening(till.printer, till.lpd, till.port, listening);
    all = all && listening;
  }
  if (!all) tills_timer_.start(kTryAgain, [this] { listen_for_tills(); });
}

Result<void> Appliance::Impl::listen_for_till(TillPort& till) {
  ReceiptDesk* desk = app_->receipts();
  const std::string& own = config_.printers[till.printer].address;
  TRY(till.listener, net::listen(loop_, own.empty() ? config_.api.listen : own, till.port,
                                 [desk, i = till.printer, lpd = till.lpd](auto line) {
                                   lpd ? desk->accept_lpd(i, std::move(line))
                                       : desk->accept(i, std::move(line));
                                 }));
  till.port = till.listener->port();
  return {};
}

Result<void> Appliance::Impl::open_store() {
  TRY(make_directory(config_.data_dir));
  reset_ = begin_reset(config_.data_dir).has_value();
  TRY(finish_restore(config_.data_dir));
  store::Store::Options options;
  options.vital.assign(std::begin(kVital), std::end(kVital));
  options.relaxed = {"throttle/", "hours/", "receipts/told"};
  TRY(auto opened, store::Store::open(config_.data_dir + "/posthorn.db", worker_, options));
  store_ = std::move(opened.store);
  set_aside_ = !opened.set_aside.empty() && !opened.restored;
  tell_of_damage(opened);
  return {};
}

/// Who the box is, its time, its files.
Result<void> Appliance::Impl::open_rest() {
  const std::string identity_folder = config_.data_dir + kIdentityFolder;
  if (reset_) {
    log::warn("posthornd", "settings and API token are as on the first day");
    TRY(store_->erase("settings"));
    TRY(store_->erase(SettingChanges::kBlobName));
    TRY(store_->erase(kAccessBlob));
    TRY(store_->erase(kPagePasswordBlob));
    forget_identity(identity_folder, kAccessBlob);
  }
  identity_ = std::make_unique<Identity>(*store_, identity_folder);
  clock_ = std::make_unique<Clock>(loop_, Wall::from_unix(POSTHORN_BUILD_TIME, false),
                                   saved_time(*store_));
  TRY(access_, load_access(*identity_, config_.api, random_));
  if (reset_) end_reset_when_durable(*store_, config_.data_dir);
  TRY(auto folder, files::posix_folder(config_.data_dir + "/files"));
  files::StoreOptions files;
  files.quota = config_.files.quota_bytes;
  TRY(files_, files::Store::open(std::move(folder), worker_, files));
  return {};
}

void Appliance::Impl::tell_of_damage(const store::Store::Opened& opened) {
  if (!opened.set_aside.empty()) {
    log::error("store",
               opened.restored
                   ? "the database was damaged and was set aside; link and settings are kept"
                   : "the database was damaged and was set aside; link the phone again",
               {{"copy", opened.set_aside}, {"damage", opened.damage}});
  }
  if (opened.set_aside.empty() && opened.stepped_back) {
    log::error(
        "store", "the newest changes of the database are lost; conversations begin anew",
        {{"what_to_do", "If this happens again, replace the SD card: it does not keep data."}});
  }
}

/// Mostly waiting for the disk: each on a thread of its own, while the start goes on.
Appliance::Impl::Rings Appliance::Impl::begin_rings() {
  static queue::PosixDisk disk;  // what is still on the pool at the end outlives us
  const auto begin = [this](const char* name, std::uint64_t bytes, queue::WhenFull when_full) {
    queue::RingFile::Options options;
    options.path = config_.data_dir + "/" + name;
    options.bytes = bytes;
    options.when_full = when_full;
    return std::async(std::launch::async, [this, options = std::move(options)] {
      loop::SystemRandom random;  // ours is for one thread
      return queue::RingFile::open(disk, loop_, worker_, random, options);
    });
  };
  return {begin("outbox.ring", config_.queue.outbox_bytes, queue::WhenFull::refuse),
          begin("inbox.ring", config_.queue.inbox_bytes, queue::WhenFull::drop_oldest)};
}

Result<void> Appliance::Impl::take_rings(Rings rings) {
  auto outbox = rings.outbox.get();
  auto inbox = rings.inbox.get();
  TRY(outbox_ring_, std::move(outbox));
  TRY(inbox_ring_, std::move(inbox));
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

Result<void> Appliance::Impl::build() {
  dialer_ = std::make_unique<net::NetDialer>(
      loop_, worker_, random_,
      [this] { return loop_.system_wall() >= Wall::from_unix(POSTHORN_BUILD_TIME); },
      proxy_of(config_));
  http_ = net::make_http_client(loop_);
  std::shared_ptr<files::Disk> receipts;
  if (!config_.printers.empty()) {
    TRY(receipts, files::posix_folder(config_.data_dir + "/receipts"));
    printer_dialer_ =
        std::make_unique<net::NetDialer>(loop_, worker_, random_, [] { return true; });
  }
  app_ = std::make_unique<App>(
      config_, access_,
      App::Outside{loop_, *clock_, random_, worker_, *dialer_, *http_, *store_, *outbox_ring_,
                   *inbox_ring_, &throttle::local_offset, host_names(config_),
                   [this] {
                     if (board_) board_->refresh();
                   },
                   files_.get(), page::files(), printer_dialer_.get(), std::move(receipts)});
  if (set_aside_) app_->advise_until_linked(kLinkAgain);
  TRY(app_->build());
  care_ = make_care();
  for (api::Route& route : care_->routes()) app_->api().add(std::move(route));
  for (api::Route& route : network_routes({config_.data_dir, run_dir()})) {
    app_->api().add(std::move(route));
  }
  access_api_ = make_access_api();
  for (api::Route& route : access_api_->routes()) app_->api().add(std::move(route));
  // Public as every certificate: for tills that want to pin it.
  app_->api().add_page("/certificate.pem", api::Right::none,
                       [this](const api::Request&, api::Reply reply) {
                         if (!https_ || !https_->listening()) {
                           return reply.send({.status = 404,
                                              .body = std::string(https_ ? kHttpsSilent : kNoHttps),
                                              .content_type = "text/plain; charset=utf-8",
                                              .headers = {}});
                         }
                         reply.send({.body = https_->certificate(),
                                     .content_type = "application/x-pem-file",
                                     .headers = {}});
                       });
  return {};
}

void Appliance::Impl::stop() {
  if (clock_ && store_) save_clock();
  clock_timer_.stop();
  health_timer_.stop();
  board_.reset();
  if (app_) app_->api().stop();
  https_.reset();
  server_.reset();
  tills_.clear();
  if (app_) app_->stop();
  http_.reset();
  flush_rings();
  // They answer what is still open with `cancelled`, to the box.
  outbox_ring_.reset();
  inbox_ring_.reset();
  app_.reset();
  care_.reset();
  access_api_.reset();
  files_.reset();
  dialer_.reset();
  identity_.reset();
  store_.reset();
}

/// An acknowledgement waits for a sync that others need, too; an orderly stop is the last one, and
/// what a till has deleted must not come again.
void Appliance::Impl::flush_rings() {
  const auto open = std::make_shared<int>(1);  // shared: an answer may come after the time is up
  const auto done = [this, open](const Result<void>& flushed) {
    if (!flushed) log::warn("queue", "not all is on disk", {{"error", flushed.error()}});
    if (--*open == 0) loop_.stop();
  };
  for (queue::RingFile* ring : {outbox_ring_.get(), inbox_ring_.get()}) {
    if (ring == nullptr) continue;
    ++*open;
    ring->end(done);
  }
  if (--*open == 0) return;
  Timer limit(loop_);
  limit.start(kFlushAtMost, [this] { loop_.stop(); });
  loop_.run();
}

/// A store that has failed stays so until it is opened anew (store.h), so the program ends and
/// systemd starts it again; a damaged database is then set aside. Nothing is lost by it: what was
/// accepted is in the rings.
void Appliance::Impl::watch_store() {
  if (++checks_ % kChecksPerWrite == 0) {
    if (auto written = store_->write_waiting(); !written) {
      log::warn("store", "the last changes are not written", {{"error", written.error()}});
    }
  }
  if (store_->healthy()) {
    health_timer_.start(kHealthCheck, [this] { watch_store(); });
    return;
  }
  log::error(
      "posthornd", "the database cannot be trusted any more; the program starts again",
      {{"what_to_do", "If this happens again, replace the SD card: it does not keep data."}});
  failed_ = true;
  if (board_) board_->refresh();
  health_timer_.start(kShowFault, [this] { loop_.stop(); });
}

void Appliance::Impl::save_clock() {
  const Wall now = clock_->now();
  if (now.trusted) {
    if (const auto saved = store_->save(kClockBlob, as_bytes(std::to_string(now.unix_seconds())));
        !saved) {
      log::warn("clock", "time not saved", {{"error", saved.error()}});
    }
  }
  clock_timer_.start(kClockSave, [this] { save_clock(); });
}

void Appliance::Impl::on_wish(board::Wish wish) {
  if (wish == board::Wish::show_yourself) return app_->api().on_button();
  log::warn("board", "the button asks for a reset", {{"wish", static_cast<int>(wish)}});
  if (const auto asked = request_reset(config_.data_dir, wish); !asked) {
    log::error("board", "the reset cannot be written down and is not done",
               {{"error", asked.error()}});
    return;
  }
  // The network is the system's; the rest is done by our own next start.
  if (wish != board::Wish::reset_network) loop_.stop();
}

std::unique_ptr<Care> Appliance::Impl::make_care() {
  return std::make_unique<Care>(
      Care::Outside{loop_, worker_, random_, *clock_, *files_, config_.data_dir, run_dir(),
                    [this] { return board_ ? board_->board().update : "none"; },
                    [this] { return board_text(); }, [this] { return support_texts(); },
                    [this](board::Wish wish) { return request_reset(config_.data_dir, wish); },
                    [this] { loop_.stop(); }});
}

std::unique_ptr<AccessApi> Appliance::Impl::make_access_api() {
  return std::make_unique<AccessApi>(AccessApi::Outside{
      access_, *identity_, random_, !config_.api.token.empty(),
      [this] { return https_ && https_->listening() ? https_->port() : std::uint16_t{0}; },
      [this] {
        app_->api().set_token(access_.token);
        // posthornctl on the box and posthorn-result.txt on the card read it there.
        if (auto written = write_access_file(config_.data_dir, url(), access_); !written) {
          log::error("posthornd", "access.json has the token of before",
                     {{"error", written.error()}});
        }
      }});
}

std::string Appliance::Impl::board_text() const {
  if (!board_) return "{}";
  return board_json(board_->board(), board_->has_led(), board_->has_button(), board_->health(),
                    read_hardware(folder_of(config_.board.device_tree)), config_.data_dir);
}

/// Chats are in it as salted hashes; what people typed is looked at for numbers.
std::string Appliance::Impl::audit_text() const {
  auto records = throttle_audit_json(app_->valve(), kAuditMost);
  if (!records) return records.error().detail;
  for (json::Value& record : *records) {
    for (const char* typed : {"who", "reason"}) {
      record[typed] = scrub(json::string_at(record, typed).value_or(""));
    }
  }
  return json::write(*records);
}

NamedTexts Appliance::Impl::support_texts() const {
  return {{"posthorn/system.txt", describe_system()},
          {"posthorn/status.json", scrub(api::health_text(status(), POSTHORN_VERSION))},
          {"posthorn/board.json", board_text()},
          {"posthorn/config.toml", describe_config(config_)},
          {"posthorn/metrics.txt", app_->metrics()},
          {"posthorn/throttle-audit.json", audit_text()},
          {"posthorn/storage.txt", describe_storage(config_.data_dir)},
          {"posthorn/log.txt", scrub(recent_log())}};
}

std::string Appliance::Impl::https_url() const {
  return https_ && https_->listening() ? url_of("https", https_->port()) : "";
}

std::string Appliance::Impl::url() const {
  const std::string url = url_of("http", server_->port());
  return config_.api.plain_http
             ? url
             : "http://" + std::string(kLoopback) + ":" + std::to_string(server_->port());
}

std::string Appliance::Impl::url_of(const char* scheme, std::uint16_t port) const {
  const bool any = config_.api.listen == "0.0.0.0" || config_.api.listen == "::";
  const std::string host = any ? "127.0.0.1" : config_.api.listen;
  return std::string(scheme) + "://" +
         (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(port);
}

Appliance::Appliance(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Appliance::~Appliance() = default;

Result<std::unique_ptr<Appliance>> Appliance::start(loop::Loop& loop, const Config& config) {
  auto impl = std::make_unique<Impl>(loop, config);
  TRY(impl->start());
  return std::unique_ptr<Appliance>(new Appliance(std::move(impl)));
}

std::string Appliance::url() const { return impl_->url(); }
std::string Appliance::https_url() const { return impl_->https_url(); }
std::uint64_t Appliance::id_instance() const { return impl_->access().id_instance; }
const std::string& Appliance::token() const { return impl_->access().token; }
Status Appliance::status() const { return impl_->status(); }
bool Appliance::failed() const { return impl_->failed(); }

}  // namespace posthorn::daemon
