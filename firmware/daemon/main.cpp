#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "daemon/app.h"
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

int run(const Config& config) {
  // Two pool threads are enough for name lookup and syncs; fewer arenas keep the heap small.
  setenv("UV_THREADPOOL_SIZE", "3", 0);
  mallopt(M_ARENA_MAX, 1);
  signal(SIGPIPE, SIG_IGN);
  use_time_zone(config.throttle);
  keep_recent_log();
  loop::Loop loop;
  auto app = App::start(loop, config);
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
  loop.run();
  log::info("posthornd", "stopping");
  const bool failed = (*app)->failed();
  app->reset();
  return failed ? 1 : 0;
}

int main_with(int argc, char** argv) {
  CLI::App options{
      "posthornd: the shop's WhatsApp session behind a local Green-API compatible API"};
  std::string config_file = access(kRunConfig, R_OK) == 0 ? kRunConfig : kDefaultConfig;
  bool check_only = false;
  const CLI::Option* given =
      options.add_option("--config", config_file, "configuration file")->capture_default_str();
  options.add_flag("--check-config", check_only, "read the configuration, say what is wrong, end");
  options.set_version_flag("--version", POSTHORN_VERSION);
  CLI11_PARSE(options, argc, argv);

  const auto config = load_config(config_file, given->count() > 0);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().detail.c_str());
    return 2;
  }
  if (check_only) {
    std::printf("%s: all right\n", config_file.c_str());
    return 0;
  }
  if (const auto level = log::parse_level(config->log.level)) log::set_level(*level);
  return run(*config);
}

}  // namespace
}  // namespace posthorn::daemon

int main(int argc, char** argv) { return posthorn::daemon::main_with(argc, argv); }
