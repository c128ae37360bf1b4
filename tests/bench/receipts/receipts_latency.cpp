// What the box adds between till and printer, piece by piece: each piece goes once straight to the
// printer and once through the box, one after the other in the same run. Pieces of one byte and of
// 1 KB, a status request that the printer answers, and a cut, after which the box writes the job to
// disk and draws it. Nagle is off on both sides.
//   receipts_latency [PIECES] [BUSY]
// BUSY: threads that do nothing but count, for a box at 100 % CPU. Status 1: more than 5 ms are
// added at p99.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "posthorn/loop/loop.h"
#include "posthorn/net/dialer.h"
#include "posthorn/net/listener.h"
#include "posthorn/receipts/receipts.h"
#include "support/fakes.h"

namespace {

using namespace posthorn;
using Steady = std::chrono::steady_clock;

constexpr double kBarMs = 5;
constexpr int kCutEvery = 40;
constexpr int kStatusEvery = 10;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(2);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return where;
}

int quick(int socket) {
  const int on = 1;
  if (socket < 0) give_up("socket");
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

/// A printer's port.
struct Paper {
  Paper() {
    const sockaddr_in where = loopback(0);
    if (listener < 0 ||
        bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 ||
        listen(listener, 4) != 0) {
      give_up("listen");
    }
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
    port = ntohs(bound.sin_port);
  }
  Paper(const Paper&) = delete;
  Paper& operator=(const Paper&) = delete;
  ~Paper() { close(listener); }
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  std::uint16_t port = 0;
};

int dial(std::uint16_t port) {
  const int till = quick(socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in where = loopback(port);
  if (connect(till, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    give_up("connect");
  return till;
}

void take(int from, std::size_t size) {
  std::array<char, 4096> buffer{};
  while (size > 0) {
    const ssize_t got = recv(from, buffer.data(), std::min(size, buffer.size()), 0);
    if (got <= 0) give_up("recv");
    size -= static_cast<std::size_t>(got);
  }
}

/// From the till's send to the printer's last byte, in milliseconds.
double pass(int till, int printer, const std::string& bytes) {
  const auto begun = Steady::now();
  if (send(till, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    give_up("send");
  }
  take(printer, bytes.size());
  return std::chrono::duration<double, std::milli>(Steady::now() - begun).count();
}

/// "Are you there?" and the answer.
double ask(int till, int printer) {
  const auto begun = Steady::now();
  (void)pass(till, printer, "\x10\x04\x01");
  if (send(printer, "\x16", 1, MSG_NOSIGNAL) != 1) give_up("send");
  take(till, 1);
  return std::chrono::duration<double, std::milli>(Steady::now() - begun).count();
}

/// The box on a thread of its own, as in posthornd: one loop, libuv's pool, a real folder.
class Box {
 public:
  explicit Box(std::uint16_t printer_port) : folder_(make_folder()) {
    thread_ = std::thread([this, printer_port] { run(printer_port); });
    port_.wait(0);
  }
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;
  ~Box() {
    stop_ = true;
    thread_.join();
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::size_t printed() const { return printed_; }

 private:
  static std::string make_folder() {
    std::string name = std::filesystem::temp_directory_path() / "receipts-latency-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) give_up("mkdtemp");
    return name;
  }
  void run(std::uint16_t printer_port) {
    loop::Loop loop;
    loop::PoolWorker worker(loop);
    test::SeededRandom random;
    test::MemoryBlobStore blobs(loop);
    Clock clock(loop, Wall::from_unix(1'780'000'000));
    net::NetDialer dialer(loop, worker, random, [] { return true; });
    receipts::Receipts::Outside outside{
        loop, clock, random, worker, blobs, dialer, *files::posix_folder(folder_)};
    outside.shop_phone = [] { return std::string(); };
    outside.new_message_id = [] { return std::string("ID"); };
    outside.send = [](receipts::Outgoing, Once<void(Result<std::string>)> done) { done(""); };
    outside.remove_file = [](const std::string&) {};
    outside.tell = [this](const receipts::Event&) { ++printed_; };
    outside.utc_offset = [](Wall) { return seconds(0); };
    receipts::PrinterSettings settings;
    settings.name = "1";
    settings.host = "127.0.0.1";
    settings.port = printer_port;
    auto box = receipts::Receipts::open({}, {settings}, std::move(outside));
    if (!box) give_up("receipts");
    auto listener =
        net::listen(loop, "127.0.0.1", 0, [&](auto till) { (*box)->accept(0, std::move(till)); });
    if (!listener) give_up("the box's port");
    port_ = (*listener)->port();
    port_.notify_all();
    while (!stop_) loop.run_once(milliseconds(100));
    (*box)->stop();
  }

  std::string folder_;
  std::atomic<std::uint16_t> port_ = 0;
  std::atomic<std::size_t> printed_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// What passes bytes on and does nothing else: a thread for each direction. What it adds is the
/// price of waking a thread on this machine, now.
class Relay {
 public:
  Relay(int from, int to)
      : there_([from, to] { copy(from, to); }), back_([from, to] { copy(to, from); }) {}
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  /// When both ends have closed.
  ~Relay() {
    there_.join();
    back_.join();
  }

 private:
  static void copy(int from, int to) {
    std::array<char, 65536> buffer{};
    while (true) {
      const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      if (send(to, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
    }
    shutdown(to, SHUT_WR);
  }
  std::thread there_, back_;
};

struct Waits {
  std::vector<double> all;
  double at(double share) {
    std::sort(all.begin(), all.end());
    return all[std::min(all.size() - 1,
                        static_cast<std::size_t>(share * static_cast<double>(all.size())))];
  }
  void show(const char* name) {
    std::printf("%-34s median %7.3f ms  p99 %7.3f ms  most %7.3f ms  (%zu)\n", name, at(0.5),
                at(0.99), at(1), all.size());
  }
};

struct Ways {
  Waits straight, relayed, through;
  /// What is added at p99.
  double show(const std::string& name) {
    straight.show((name + ", straight").c_str());
    relayed.show((name + ", a relay").c_str());
    through.show((name + ", the box").c_str());
    return through.at(0.99) - straight.at(0.99);
  }
};

/// A till's end and the printer's.
struct Line {
  int till = -1, paper = -1;
};

}  // namespace

int main(int argc, char** argv) {
  const int pieces = argc > 1 ? std::atoi(argv[1]) : 4000;
  const int busy = argc > 2 ? std::atoi(argv[2]) : 0;
  std::atomic<bool> over = false;
  std::vector<std::thread> counters;
  for (int i = 0; i < busy; ++i) {
    counters.emplace_back([&over] {
      for (std::atomic<std::size_t> n = 0; !over;) n.fetch_add(1, std::memory_order_relaxed);
    });
  }
  Paper near, middle, far;
  const Box box(far.port);
  const auto line_to = [](Paper& paper, std::uint16_t port) {
    const int till = dial(port);
    return Line{till, quick(accept(paper.listener, nullptr, nullptr))};
  };
  const Line straight = line_to(near, near.port), through = line_to(far, box.port());
  const Line to_relay = line_to(middle, middle.port), from_relay = line_to(middle, middle.port);
  const Line relayed{to_relay.till, from_relay.paper};
  auto relay = std::make_unique<Relay>(to_relay.paper, from_relay.till);
  const std::string kilobyte = std::string(1000, 'a') + "\n" + std::string(22, ' ') + "\n";
  const std::string cut("\x1dV\0", 3);
  Ways one, thousand, status;
  const auto measure = [&](Ways& ways, auto how) {
    ways.straight.all.push_back(how(straight));
    ways.relayed.all.push_back(how(relayed));
    ways.through.all.push_back(how(through));
  };
  for (int i = 0; i < pieces; ++i) {
    const bool small = i % 2 == 0;
    const std::string piece = small ? std::string(1, "\x1b@T"[i / 2 % 3]) : kilobyte;
    measure(small ? one : thousand,
            [&](const Line& line) { return pass(line.till, line.paper, piece); });
    if (i % kStatusEvery == 0) {
      measure(status, [](const Line& line) { return ask(line.till, line.paper); });
    }
    if (i % kCutEvery == kCutEvery - 1) (void)pass(through.till, through.paper, cut);
  }
  over = true;
  for (std::thread& counter : counters) counter.join();
  const double added = std::max({one.show("1 byte"), thousand.show("1 KB"), status.show("status")});
  std::printf(
      "%zu jobs kept and drawn beside it; %d busy threads; added at p99: %.3f ms (bar: %.0f)\n",
      box.printed(), busy, added, kBarMs);
  std::fflush(stdout);
  for (const int socket :
       {straight.till, straight.paper, relayed.till, relayed.paper, through.till, through.paper}) {
    close(socket);
  }
  relay.reset();
  return added <= kBarMs ? 0 : 1;
}
