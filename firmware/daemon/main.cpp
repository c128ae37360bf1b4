#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
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

/// ifstream opens a folder too, and reads nothing from it.
bool is_readable_file(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && access(path.c_str(), R_OK) == 0;
}

/// What the configuration names must be there, or be made at the start.
Result<void> check_places(const Config& config, const std::string& path) {
  const auto no_file = [&path](const char* key, const std::string& file) {
    return fail(Errc::not_found, path + ": " + key + ": " + file + ": is no file to be read");
  };
  const std::string& ca = config.whatsapp.tls_ca_file;
  const std::string& media_ca = config.whatsapp.media_ca_file;
  if (!ca.empty() && !is_readable_file(ca)) return no_file("whatsapp.tls_ca_file", ca);
  if (!media_ca.empty() && !is_readable_file(media_ca)) {
    return no_file("whatsapp.media_ca_file", media_ca);
  }
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path data = fs::absolute(config.data_dir, error);
  if (fs::is_directory(data, error)) return {};
  const fs::path above = (data.has_filename() ? data : data.parent_path()).parent_path();
  if (!fs::exists(data, error) && fs::is_directory(above, error)) return {};
  return fail(Errc::not_found, path + ": data_dir: " + config.data_dir +
                                   ": is no folder, and none can be made in " + above.string());
}

Result<Config> load_config(const std::string& path) {
  if (!is_readable_file(path)) return fail(Errc::not_found, path + ": is no file to be read");
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  TRY(Config config, parse_config(text.str(), path));
  TRY(throttle_settings(config.throttle));
  TRY(check_time_zone(config.throttle));
  TRY(check_places(config, path));
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
  for (const std::string& trouble : config.troubles) {
    log::error("posthornd", "a part of the configuration is off", {{"why", trouble}});
  }
  loop::Loop loop;
  auto app = Appliance::start(loop, config);
  if (!app) {
    log::error("posthornd", "cannot start", {{"error", app.error()}});
    return 1;
  }
  // Before anybody is told that it runs: who reads that may end it at once.
  const loop::SignalWatch terminate(loop, SIGTERM, [&loop] { loop.stop(); });
  const loop::SignalWatch interrupt(loop, SIGINT, [&loop] { loop.stop(); });
  log::info("posthornd", "ready", {{"url", (*app)->url()}, {"idInstance", (*app)->id_instance()}});
  // For whoever starts it by hand or drives it in a test; under systemd it goes to the journal too.
  std::printf("{\"url\":\"%s\",\"httpsUrl\":\"%s\",\"idInstance\":%llu}\n", (*app)->url().c_str(),
              (*app)->https_url().c_str(), static_cast<unsigned long long>((*app)->id_instance()));
  std::fflush(stdout);
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
  // Without a file of the installation everything is at its default; a check is about a file.
  const bool defaults = !options.config_given && !options.check_only &&
                        access(options.config_file.c_str(), F_OK) != 0;
  const auto config = defaults ? Result<Config>(Config{}) : load_config(options.config_file);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().detail.c_str());
    return 2;
  }
  if (options.check_only) {
    for (const std::string& trouble : config->troubles)
      std::fprintf(stderr, "%s\n", trouble.c_str());
    if (!config->troubles.empty()) return 2;
    std::printf("%s: all right\n", options.config_file.c_str());
    return 0;
  }
  if (const auto level = log::parse_level(config->log.level)) log::set_level(*level);
  return run(*config);
}

}  // namespace
}  // namespace posthorn::daemon

int main(int argc, char** argv) { return posthorn::daemon::main_with(argc, argv); }
