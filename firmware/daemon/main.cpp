#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "daemon/appliance.h"
#include "daemon/recent_log.h"
#include "daemon/service_manager.h"
#include "daemon/throttle_config.h"
#include "daemon/time_zone.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {
namespace {

/// What posthorn-setup made of the technician's posthorn.txt wins over the file of the
/// installation.
constexpr const char* kRunConfig = "/run/posthorn/posthorn.toml";
constexpr const char* kDefaultConfig = "/etc/posthorn/posthorn.toml";

Result<Config> load_config(const std::string& path, bool must_exist) {
  std::ifstream file(path);
  if (!file && !must_exist) return Config{};
  if (!file) return fail(Errc::not_found, path + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  TRY(Config config, parse_config(text.str(), path));
  TRY(throttle_settings(config.throttle));
  TRY(check_time_zone(config.throttle));
  return config;
}

/// Gives memory that a burst (the first 812 prekeys, a backlog) left free in the heap back to the
/// system: malloc itself does so only from the end of the heap.
class HeapTrimmer {
 public:
  explicit HeapTrimmer(Scheduler& scheduler) : timer_(scheduler) { wait(); }

 private:
  void wait() {
    timer_.start(kEvery, [this] {
      if (mallinfo2().fordblks > kWorthIt) malloc_trim(kWorthIt / 4);
      wait();
    });
  }

  static constexpr minutes kEvery{1};
  static constexpr std::size_t kWorthIt = std::size_t{256} << 10;
  Timer timer_;
};

int run(const Config& config) {
  // A few pool threads are enough for name lookup and syncs; one arena keeps the heap small.
  setenv("UV_THREADPOOL_SIZE", "3", 0);
  mallopt(M_ARENA_MAX, 1);
  signal(SIGPIPE, SIG_IGN);
  use_time_zone(config.throttle);
  keep_recent_log();
  loop::Loop loop;
  auto app = Appliance::start(loop, config);
  if (!app) {
    log::error("posthornd", "cannot start", {{"error", app.error()}});
    return 1;
  }
  log::info("posthornd", "ready", {{"url", (*app)->url()}, {"idInstance", (*app)->id_instance()}});
  // For whoever starts it by hand or drives it in a test; under systemd it goes to the journal too.
  std::printf("{\"url\":\"%s\",\"httpsUrl\":\"%s\",\"idInstance\":%llu}\n", (*app)->url().c_str(),
              (*app)->https_url().c_str(), static_cast<unsigned long long>((*app)->id_instance()));
  std::fflush(stdout);
  const loop::SignalWatch terminate(loop, SIGTERM, [&loop] { loop.stop(); });
  const loop::SignalWatch interrupt(loop, SIGINT, [&loop] { loop.stop(); });
  const ServiceManager service(loop, ServiceEnvironment::read());
  const HeapTrimmer trimmer(loop);
  loop.run();
  log::info("posthornd", "stopping");
  const bool failed = (*app)->failed();
  app->reset();
  return failed ? 1 : 0;
}

/// What the command line asks for.
struct Options {
  std::string config_file = access(kRunConfig, R_OK) == 0 ? kRunConfig : kDefaultConfig;
  bool config_given = false;
  bool check_only = false;
};

void print_help(const Options& options) {
  std::printf(
      "posthornd: the shop's WhatsApp session behind a local Green-API compatible API\n"
      "  --config FILE    configuration file (%s)\n"
      "  --check-config   read the configuration, say what is wrong, end\n"
      "  --version        say which version this is\n",
      options.config_file.c_str());
}

/// By getopt: three options are not worth the 100 KiB that CLI11 adds to the daemon. Returns the
/// status to end with, or nullopt to go on.
std::optional<int> parse_options(int argc, char** argv, Options& options) {
  constexpr std::array<option, 5> kKnown{{{"config", required_argument, nullptr, 'c'},
                                          {"check-config", no_argument, nullptr, 'k'},
                                          {"version", no_argument, nullptr, 'v'},
                                          {"help", no_argument, nullptr, 'h'},
                                          {nullptr, 0, nullptr, 0}}};
  for (int found = 0; (found = getopt_long(argc, argv, "h", kKnown.data(), nullptr)) != -1;) {
    switch (found) {
      case 'c':
        options.config_file = optarg;
        options.config_given = true;
        break;
      case 'k':
        options.check_only = true;
        break;
      case 'v':
        std::printf("%s\n", POSTHORN_VERSION);
        return 0;
      case 'h':
        print_help(options);
        return 0;
      default:  // getopt has said what is wrong
        return 2;
    }
  }
  if (optind == argc) return std::nullopt;
  std::fprintf(stderr, "%s: unexpected: %s\n", argv[0], argv[optind]);
  return 2;
}

int main_with(int argc, char** argv) {
  Options options;
  if (const auto status = parse_options(argc, argv, options)) return *status;
  const auto config = load_config(options.config_file, options.config_given);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().detail.c_str());
    return 2;
  }
  if (options.check_only) {
    std::printf("%s: all right\n", options.config_file.c_str());
    return 0;
  }
  if (const auto level = log::parse_level(config->log.level)) log::set_level(*level);
  return run(*config);
}

}  // namespace
}  // namespace posthorn::daemon

int main(int argc, char** argv) { return posthorn::daemon::main_with(argc, argv); }
