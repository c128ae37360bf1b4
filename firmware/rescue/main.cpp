#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "daemon/board_link.h"
#include "posthorn/api/server.h"
#include "posthorn/base/log.h"
#include "posthorn/loop/loop.h"
#include "rescue/rescue_page.h"

/// posthorn-rescue REASON-FILE [PORT [BOARDS SYSFS DEVICE-TREE]]: runs instead of posthornd while
/// the data partition cannot be used (image/root/usr/lib/posthorn/data-partition). The light shows
/// the fault, HTTP says it, and the button held for 20 s ends this program with 10: systemd then
/// has a new data partition made.
namespace {

using namespace posthorn;

constexpr int kNewDataWanted = 10;
constexpr std::uint16_t kPort = 80;

int run(const std::string& reason, std::uint16_t port, const BoardConfig& config) {
  signal(SIGPIPE, SIG_IGN);
  loop::Loop loop;
  int result = 0;
  Status status;
  status.storage_ok = false;
  const daemon::BoardLink board(
      loop, config, [&status] { return status; },
      [&](board::Wish wish) {
        if (wish != board::Wish::reset_all) return;
        log::warn("rescue", "the button was held: a new data partition is made");
        result = kNewDataWanted;
        loop.stop();
      });
  rescue::RescuePage page(reason);
  api::ServerOptions options;
  options.port = port;
  options.connections = 32;
  options.idle = seconds(10);
  const auto server = api::serve(loop, options, page);
  // Light and button are worth going on for.
  if (!server) log::error("rescue", "no answers over HTTP", {{"error", server.error()}});
  const loop::SignalWatch terminate(loop, SIGTERM, [&loop] { loop.stop(); });
  log::warn("rescue", "the data partition cannot be used", {{"why", reason}});
  std::printf("%u\n", server ? (*server)->port() : 0U);
  std::fflush(stdout);
  loop.run();
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3 && argc != 6) {
    std::fprintf(stderr, "posthorn-rescue REASON-FILE [PORT [BOARDS SYSFS DEVICE-TREE]]\n");
    return 2;
  }
  std::string reason;
  std::getline(std::ifstream(argv[1]), reason);
  BoardConfig config;
  if (argc == 6) config = {argv[3], argv[4], argv[5]};
  const auto port = argc > 2 ? static_cast<std::uint16_t>(std::atoi(argv[2])) : kPort;
  return run(reason.empty() ? "the reason is not known" : reason, port, config);
}
