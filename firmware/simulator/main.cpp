// posthorn-sim: a WhatsApp stand-in on this machine. See --help.

#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <string>

#include "cloud_server.h"
#include "http_server.h"
#include "media_server.h"
#include "posthorn/base/log.h"
#include "posthorn/loop/loop.h"
#include "posthorn/net/listener.h"
#include "posthorn/simulator/simulator.h"
#include "seeded_random.h"

namespace {

using namespace posthorn;

struct Arguments {
  std::uint16_t port = 0;
  std::uint16_t control_port = 0;
  std::uint16_t media_port = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> accounts;
  std::uint64_t run_for = 0;
  std::uint32_t restart_after = 200;
  std::size_t journal = 20'000;
  std::string chain = "none";
  std::string log_level = "warn";
  bool pn_addressing = false;
  bool compress = false;
  std::string framing = "one";
  bool offline_strict = false;
  bool omit_unknown = false;
  bool no_resume = false;
  bool read_stdin = false;
  bool cloud = false;
  std::uint16_t cloud_port = 0;
};

Result<wire::ChainFlaw> parse_flaw(const std::string& name) {
  if (name == "none") return wire::ChainFlaw::none;
  std::string known = "none";
  for (const auto flaw : wire::kAllChainFlaws) {
    if (wire::to_string(flaw) == name) return flaw;
    known += ", " + std::string(wire::to_string(flaw));
  }
  return fail(Errc::malformed, "--chain: one of " + known);
}

wire::ServerChannel::Framing parse_framing(const std::string& name) {
  using Framing = wire::ServerChannel::Framing;
  if (name == "merged") return Framing::merged;
  if (name == "split") return Framing::split;
  if (name == "fragmented") return Framing::fragmented;
  return Framing::one_per_message;
}

/// QR texts, one a line: each is scanned by a phone of a new account.
class QrReader {
 public:
  QrReader(loop::Loop& loop, simulator::Simulator& simulator)
      : simulator_(simulator),
        poll_(std::make_unique<loop::Poll>(loop, STDIN_FILENO, loop::Poll::readable,
                                           [this](int) { on_readable(); })) {}

 private:
  void on_readable() {
    char buffer[4096];
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count <= 0) return poll_->watch(0);
    pending_.append(buffer, static_cast<std::size_t>(count));
    for (std::size_t end = pending_.find('\n'); end != std::string::npos;
         end = pending_.find('\n')) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (line.empty()) continue;
      simulator_.scan(line, "", [](Result<wire::Jid> device) {
        json::Value out;
        if (device) {
          out["linked"] = to_string(*device);
        } else {
          out["error"] = to_string(device.error());
        }
        std::cout << json::write(out) << std::endl;
      });
    }
  }

  simulator::Simulator& simulator_;
  std::string pending_;
  std::unique_ptr<loop::Poll> poll_;
};

/// The control interface: the official API's part of it, and all else.
void on_control(simulator::Simulator& simulator, CloudServer* cloud, const std::string& method,
                const std::string& path, const std::string& body, HttpServer::Answer answer) {
  if (path.starts_with("/cloud")) {
    if (cloud == nullptr) return answer(404, R"({"error":"started without --cloud"})");
    return cloud->cloud().control(
        method, path, body,
        [answer = std::move(answer)](simulator::Cloud::Response response) mutable {
          answer(response.status, json::write(response.body));
        });
  }
  simulator.control(method, path, body,
                    [answer = std::move(answer)](simulator::Simulator::Response response) mutable {
                      answer(response.status, json::write(response.body));
                    });
}

int run(const Arguments& arguments) {
  const auto flaw = parse_flaw(arguments.chain);
  const auto level = log::parse_level(arguments.log_level);
  if (!flaw || !level) {
    std::cerr << to_string(!flaw ? flaw.error() : level.error()) << "\n";
    return 2;
  }
  log::set_level(*level);
  loop::Loop loop;
  loop::SystemRandom system_random;
  const std::uint64_t seed =
      arguments.seed != 0 ? arguments.seed : system_random.between(1, 999'999'999);
  SeededRandom random(seed);
  simulator::Options options;
  options.seed = seed;
  options.chain_flaw = *flaw;
  options.journal_limit = arguments.journal;
  options.restart_after = milliseconds(arguments.restart_after);
  options.lid_addressing = !arguments.pn_addressing;
  options.compress = arguments.compress;
  options.framing = parse_framing(arguments.framing);
  options.offline_strict = arguments.offline_strict;
  options.omit_unknown_prekeys = arguments.omit_unknown;
  options.allow_resume = !arguments.no_resume;

  std::unique_ptr<HttpServer> http;  // outlives both, which answer what still waits
  std::unique_ptr<CloudServer> cloud;
  simulator::Simulator simulator(loop, random, options);
  auto listener =
      net::listen(loop, "127.0.0.1", arguments.port,
                  [&](std::unique_ptr<Stream> stream) { simulator.accept(std::move(stream)); });
  auto control =
      HttpServer::start(loop, arguments.control_port,
                        [&simulator, &cloud](const std::string& method, const std::string& path,
                                             const std::string& body, HttpServer::Answer answer) {
                          on_control(simulator, cloud.get(), method, path, body, std::move(answer));
                        });
  if (!listener || !control) {
    std::cerr << to_string(!listener ? listener.error() : control.error()) << "\n";
    return 1;
  }
  http = std::move(*control);
  const auto media = MediaServer::start(loop, system_random, arguments.media_port, simulator);
  if (!media) {
    std::cerr << to_string(media.error()) << "\n";
    return 1;
  }
  simulator.set_media_host("127.0.0.1:" + std::to_string((*media)->port()));

  if (arguments.cloud) {
    auto started = CloudServer::start(loop, arguments.cloud_port);
    if (!started) {
      std::cerr << to_string(started.error()) << "\n";
      return 1;
    }
    cloud = std::move(*started);
  }

  json::Value hello;
  if (cloud) hello["cloud"] = "http://127.0.0.1:" + std::to_string(cloud->port());
  hello["url"] = "ws://127.0.0.1:" + std::to_string((*listener)->port()) + "/ws/chat";
  hello["control"] = "http://127.0.0.1:" + std::to_string(http->port());
  hello["media"] = "https://127.0.0.1:" + std::to_string((*media)->port());
  hello["media_certificate"] = (*media)->certificate();
  hello["noise_root_key"] = hex_encode(simulator.root_key());
  hello["seed"] = json::Value::UInt64(seed);
  hello["accounts"] = json::Value(Json::arrayValue);
  for (const auto& wish : arguments.accounts) {
    const std::size_t colon = wish.find(':');
    const auto account = simulator.add_account(
        {wish.substr(0, colon), colon == std::string::npos ? "" : wish.substr(colon + 1)});
    json::Value one;
    one["phone"] = account.pn.user;
    one["lid"] = to_string(account.lid);
    one["name"] = account.name;
    hello["accounts"].append(one);
  }
  std::cout << json::write(hello) << std::endl;

  std::unique_ptr<QrReader> reader;
  if (arguments.read_stdin) reader = std::make_unique<QrReader>(loop, simulator);
  Timer end(loop);
  if (arguments.run_for != 0) {
    end.start(seconds(arguments.run_for), [&loop] { loop.stop(); });
  }
  std::signal(SIGPIPE, SIG_IGN);
  loop::SignalWatch on_term(loop, SIGTERM, [&loop] { loop.stop(); });
  loop::SignalWatch on_int(loop, SIGINT, [&loop] { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace

// What CLI11 throws here are mistakes in the lines that declare options: the first start shows
// them. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{
      "A WhatsApp stand-in on this machine: the server's side of the wire, phones and "
      "scripted customers. Listens on 127.0.0.1 only; prints one JSON line with its "
      "addresses when it is ready."};
  app.add_option("--port", arguments.port, "WebSocket port (0: any free one)");
  app.add_option("--control-port", arguments.control_port, "HTTP control port (0: any free one)");
  app.add_option("--media-port", arguments.media_port,
                 "HTTPS port of the media host (0: any free one)");
  app.add_option("--seed", arguments.seed, "makes keys and ids repeat (0: drawn)");
  app.add_option("--account", arguments.accounts, "PHONE or PHONE:NAME; may be repeated");
  app.add_option("--run-for", arguments.run_for, "ends by itself after so many seconds");
  app.add_option("--restart-after", arguments.restart_after,
                 "milliseconds from a client's linking to the restart (515) that follows");
  app.add_option("--journal", arguments.journal, "stanzas kept (0: none, for benchmarks)");
  app.add_option("--chain", arguments.chain,
                 "a wrong certificate chain: expired, leaf_signature, …");
  app.add_option("--framing", arguments.framing, "frames in WebSocket messages")
      ->check(CLI::IsMember({"one", "merged", "split", "fragmented"}));
  app.add_flag("--compress", arguments.compress, "deflate every stanza sent");
  app.add_flag("--pn", arguments.pn_addressing, "name senders by phone number instead of LID");
  app.add_flag("--offline-strict", arguments.offline_strict,
               "no backlog beyond the first five stanzas without <offline_batch>");
  app.add_flag("--omit-unknown", arguments.omit_unknown,
               "leave unknown devices out of prekey answers");
  app.add_flag("--no-resume", arguments.no_resume, "answer Noise IK with XXfallback");
  app.add_flag("--cloud", arguments.cloud,
               "the official Cloud API too: HTTP with signed webhooks (CONTROL.md)");
  app.add_option("--cloud-port", arguments.cloud_port, "its HTTP port (0: any free one)");
  app.add_flag("--stdin", arguments.read_stdin, "scan the QR texts that come on standard input");
  app.add_option("--log", arguments.log_level, "error, warn, info, debug or trace");
  CLI11_PARSE(app, argc, argv);
  return run(arguments);
}
