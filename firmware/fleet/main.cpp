#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>

#include "daemon/hardware.h"
#include "daemon/service_manager.h"
#include "fleet/enrol.h"
#include "fleet/files.h"
#include "fleet/mosquitto_broker.h"
#include "fleet/waiting.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/fleet/agent.h"
#include "posthorn/fleet/local_box_api.h"
#include "posthorn/net/dialer.h"

namespace posthorn::fleet {
namespace {

struct Options {
  std::string config = "/etc/posthorn/fleet.toml";
  std::string state = "/var/lib/posthorn-fleet";
  std::string access = "/run/posthorn-fleet/access.json";
  std::string daemon_access = "/var/lib/posthorn/access.json";
  std::string ca;
  std::string pin;
  std::string log_level = "info";
  std::string slot;
  std::string boot;
  bool check_only = false;
};

/// Data of ours, at most: a broker may announce a message of 256 MiB, and the library would make
/// room for it. Refused memory ends that connection, and no more than that.
constexpr rlim_t kDataAtMost = rlim_t{64} << 20;
/// The time before which no clock is right.
constexpr std::int64_t kBuilt = POSTHORN_BUILD_TIME;

Facts facts_of(const Options& options, const std::string& config) {
  const daemon::Hardware hardware = daemon::read_hardware("/sys/firmware/devicetree/base");
  Facts out;
  out.model = hardware.model;
  out.serial = hardware.serial;
  out.version = POSTHORN_VERSION;
  out.slot = options.slot.empty() ? hardware.slot : options.slot;
  out.country = daemon::first_line("/etc/posthorn/country");
  out.config_digest = hex_encode(ByteView(crypto::sha256(as_bytes(config))).first(8));
  return out;
}

int complain(const Error& error) {
  std::fprintf(stderr, "posthorn-fleet: %s\n", error.detail.c_str());
  return 1;
}

std::optional<int> local_minute(const loop::Loop& loop) {
  const std::time_t now = static_cast<std::time_t>(loop.system_wall().unix_seconds());
  if (now < kBuilt) return std::nullopt;
  std::tm parts{};
  if (localtime_r(&now, &parts) == nullptr) return std::nullopt;
  return parts.tm_hour * 60 + parts.tm_min;
}

/// Everything that an agent needs, in the order in which it is built.
class Program {
 public:
  Program(Settings settings, BoxAccess access, const Options& options, const std::string& config)
      : settings_(std::move(settings)),
        state_(options.state),
        worker_(loop_),
        dialer_(loop_, worker_, random_, [] { return true; }),
        box_(loop_, dialer_, std::move(access)),
        blobs_(loop_, options.state),
        identity_(random_, options.state),
        bundle_(options.state + "/update.raucb"),
        facts_(facts_of(options, config)),
        boot_(options.boot.empty() ? daemon::first_line("/proc/sys/kernel/random/boot_id")
                                   : options.boot),
        broker_(loop_, worker_, broker_options(options)) {}

  int run() {
    const auto certificate = identity_.current();
    if (!certificate) return complain(certificate.error());
    http_ = net::make_http_client(loop_);
    make_updater(certificate->box);
    Agent::Outside outside{loop_,     random_,     blobs_,         broker_, box_,
                           identity_, http_.get(), updater_.get(), facts_,  {}};
    outside.end = [this](const std::string& why) {
      log::warn("fleet", "ends, to be started again", {{"why", why}});
      status_ = 1;
      loop_.stop();
    };
    outside.leave = [this] { leave(); };
    Agent agent(std::move(outside), settings_);
    if (auto started = agent.start(); !started) return complain(started.error());
    const loop::SignalWatch terminate(loop_, SIGTERM, [this] { loop_.stop(); });
    const loop::SignalWatch interrupt(loop_, SIGINT, [this] { loop_.stop(); });
    const daemon::ServiceManager service(loop_, daemon::ServiceEnvironment::read());
    std::printf("{\"box\":\"%s\"}\n", certificate->box.c_str());
    std::fflush(stdout);
    updater_->start();
    loop_.run();
    agent.stop();
    // A connection that is being made cannot be hurried, and nothing of ours waits for it.
    if (broker_.dialling()) std::_Exit(status_);
    return status_;
  }

 private:
  /// Ends well; started again, it waits for another fleet.
  void leave() {
    if (const auto left = forget_enrolment(state_); !left) {
      log::error("fleet", "the enrolment cannot be forgotten", {{"error", left.error()}});
    }
    loop_.stop();
  }

  MosquittoBroker::Options broker_options(const Options& options) {
    MosquittoBroker::Options out;
    out.host = settings_.host;
    out.port = settings_.port;
    out.alpn = settings_.alpn;
    out.keep_alive = settings_.keep_alive;
    out.will_delay = settings_.will_delay;
    if (const auto certificate = identity_.current()) {
      out.client_id = "posthorn-" + certificate->box;
    }
    out.ca_file = options.state + "/ca.pem";
    out.files = [this] { return identity_.files(); };
    out.clock_plausible = [this] { return loop_.system_wall().unix_seconds() >= kBuilt; };
    return out;
  }

  void make_updater(const std::string& box) {
    Updater::Outside outside{loop_, random_, blobs_, box_, *http_, bundle_,
                             box,   {},      {},     {},   {},     {}};
    outside.upload_url = [this] {
      const BoxAccess& access = box_.access();
      return "http://" + access.host + ":" + std::to_string(access.port) + "/waInstance" +
             access.id_instance + "/uploadUpdate/" + access.care_token;
    };
    outside.slot = [this] { return facts_.slot; };
    outside.boot_id = boot_;
    outside.facts = facts_;
    outside.minute_of_day = [this] { return local_minute(loop_); };
    updater_ = std::make_unique<Updater>(std::move(outside), settings_);
  }

  Settings settings_;
  std::string state_;
  loop::Loop loop_;
  loop::PoolWorker worker_;
  loop::SystemRandom random_;
  net::NetDialer dialer_;
  LocalBoxApi box_;
  FileBlobs blobs_;
  FileIdentity identity_;
  BundleOnDisk bundle_;
  Facts facts_;
  std::string boot_;
  MosquittoBroker broker_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<Updater> updater_;
  int status_ = 0;
};

/// The administrator's settings, or those that came with an enrolment from the page, which may not
/// write there.
std::string config_of(const Options& options) {
  const std::string own = own_settings_file(options.state);
  const bool given = access(options.config.c_str(), F_OK) == 0;
  return !given && access(own.c_str(), F_OK) == 0 ? own : options.config;
}

void keep_small(const Options& options) {
  setenv("UV_THREADPOOL_SIZE", "2", 0);
  mallopt(M_ARENA_MAX, 1);
  signal(SIGPIPE, SIG_IGN);
  const rlimit limit{kDataAtMost, kDataAtMost};
  if (setrlimit(RLIMIT_DATA, &limit) != 0) std::perror("setrlimit");
  if (const auto level = log::parse_level(options.log_level)) log::set_level(*level);
}

Result<BoxAccess> access_of(const Options& options) {
  TRY(const std::string text, read_file(options.access, 4096));
  return parse_box_access(text);
}

int run_agent(const Options& options) {
  const std::string certificate = options.state + "/certificate.pem";
  if (!options.check_only && access(certificate.c_str(), F_OK) != 0) {
    auto box = access_of(options);
    if (!box) return complain(box.error());
    keep_small(options);
    return wait_for_enrolment(std::move(*box), {options.state, options.config});
  }
  const std::string config = config_of(options);
  const auto text = read_file(config, 65536);
  if (!text) return complain(text.error());
  auto settings = parse_settings(*text, config);
  if (!settings) return complain(settings.error());
  if (options.check_only) {
    std::printf("%s: all right\n", config.c_str());
    return 0;
  }
  auto box = access_of(options);
  if (!box) return complain(box.error());
  // What root's step did not give, settings in our own folder do not give either.
  settings->care = settings->care && !box->care_token.empty();
  if (!settings->care) box->care_token.clear();
  keep_small(options);
  return Program(std::move(*settings), std::move(*box), options, *text).run();
}

/// Root's step before the service: of the daemon's access.json as much as the administrator's
/// settings allow, for the service's own user. Those in the state folder do not count here: the
/// service can write them.
int prepare_access(const Options& options) {
  const auto text = read_file(options.config, 65536);
  // Not enrolled, or by the page: the till's right.
  const bool unset = !text && text.error().code == Errc::not_found;
  if (!text && !unset) return complain(text.error());
  const auto settings =
      unset ? Result<Settings>(Settings{}) : parse_settings(*text, options.config);
  if (!settings) return complain(settings.error());
  const auto given = read_file(options.daemon_access, 4096);
  if (!given) return complain(given.error());
  auto value = json::parse(*given, 100);
  if (!value || !value->isObject())
    return complain({Errc::malformed, options.daemon_access + ": no JSON"});
  if (!settings->care) value->removeMember("careToken");
  if (auto written = write_file(options.access, json::write(*value)); !written) {
    return complain(written.error());
  }
  struct stat folder {};
  const std::string above = options.access.substr(0, options.access.rfind('/'));
  if (geteuid() == 0 && stat(above.c_str(), &folder) == 0 &&
      lchown(options.access.c_str(), folder.st_uid, folder.st_gid) != 0) {
    return complain({Errc::io, options.access + ": cannot be given to the service"});
  }
  return 0;
}

void print_help() {
  std::printf(
      "posthorn-fleet: this box's part in a fleet, over an MQTT broker\n"
      "  posthorn-fleet                    run (the service does)\n"
      "  posthorn-fleet enrol URL CODE     make a key, get a certificate and settings from the "
      "head office\n"
      "  posthorn-fleet request            print a certificate request, for a head office without "
      "URL\n"
      "  posthorn-fleet install FILE       take the certificate for it\n"
      "  posthorn-fleet id                 print this box's name in the fleet\n"
      "  posthorn-fleet access             what the service does as root before it starts\n"
      "  --config FILE --state FOLDER --access FILE --daemon-access FILE --ca FILE --pin "
      "sha256//... \n"
      "  --log LEVEL --check-config --version\n"
      "  --slot NAME --boot ID             in place of what the kernel says, for tests\n");
}

std::optional<int> parse_options(int argc, char** argv, Options& options) {
  constexpr std::array<option, 13> kKnown{{{"config", required_argument, nullptr, 'c'},
                                           {"state", required_argument, nullptr, 's'},
                                           {"access", required_argument, nullptr, 'a'},
                                           {"daemon-access", required_argument, nullptr, 'd'},
                                           {"ca", required_argument, nullptr, 'r'},
                                           {"pin", required_argument, nullptr, 'p'},
                                           {"log", required_argument, nullptr, 'l'},
                                           {"slot", required_argument, nullptr, 'o'},
                                           {"boot", required_argument, nullptr, 'b'},
                                           {"check-config", no_argument, nullptr, 'k'},
                                           {"version", no_argument, nullptr, 'v'},
                                           {"help", no_argument, nullptr, 'h'},
                                           {nullptr, 0, nullptr, 0}}};
  for (int found = 0; (found = getopt_long(argc, argv, "h", kKnown.data(), nullptr)) != -1;) {
    switch (found) {
      case 'c':
        options.config = optarg;
        break;
      case 's':
        options.state = optarg;
        break;
      case 'a':
        options.access = optarg;
        break;
      case 'd':
        options.daemon_access = optarg;
        break;
      case 'r':
        options.ca = optarg;
        break;
      case 'p':
        options.pin = optarg;
        break;
      case 'l':
        options.log_level = optarg;
        break;
      case 'o':
        options.slot = optarg;
        break;
      case 'b':
        options.boot = optarg;
        break;
      case 'k':
        options.check_only = true;
        break;
      case 'v':
        std::printf("%s\n", POSTHORN_VERSION);
        return 0;
      case 'h':
        print_help();
        return 0;
      default:
        return 2;
    }
  }
  return std::nullopt;
}

int say(const Result<std::string>& text) {
  if (!text) return complain(text.error());
  std::printf("%s%s", text->c_str(), text->ends_with('\n') ? "" : "\n");
  return 0;
}

int main_with(int argc, char** argv) {
  Options options;
  if (const auto status = parse_options(argc, argv, options)) return *status;
  const int left = argc - optind;
  const std::string word = left > 0 ? argv[optind] : "";
  if (word.empty()) return run_agent(options);
  if (word == "access" && left == 1) return prepare_access(options);
  if (word == "id" && left == 1) return say(own_box_id());
  if (word == "request" && left == 1) return say(make_own_request(options.state));
  if (word == "enrol" && left == 3) {
    return say(enrol({argv[optind + 1], argv[optind + 2], options.ca, options.pin, options.config,
                      options.state}));
  }
  if (word == "install" && left == 2) {
    const auto pem = read_file(argv[optind + 1], 65536);
    if (!pem) return complain(pem.error());
    const auto installed = install_certificate(options.state, *pem);
    return installed ? 0 : complain(installed.error());
  }
  print_help();
  return 2;
}

}  // namespace
}  // namespace posthorn::fleet

int main(int argc, char** argv) { return posthorn::fleet::main_with(argc, argv); }
