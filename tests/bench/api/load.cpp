#include "load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace posthorn::bench {

namespace {

struct Connection {
  int socket = -1;
  std::string text;
};

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

/// True when a whole answer was there; it is taken out.
bool take_answer(std::string& text, bool& is_200) {
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const std::size_t field = text.find("Content-Length: ");
  const std::size_t length =
      field < head ? std::strtoul(text.c_str() + field + 16, nullptr, 10) : 0;
  if (text.size() < head + 4 + length) return false;
  is_200 = text.starts_with("HTTP/1.1 200 ");
  text.erase(0, head + 4 + length);
  return true;
}

void send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) std::exit(1);
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

Outcome run_load(const Load& load) {
  std::vector<Connection> connections(static_cast<std::size_t>(load.connections));
  const int poll = ::epoll_create1(0);
  for (Connection& one : connections) {
    one.socket = connect_to(load.port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &one;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, one.socket, &event);
  }
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  for (Connection& one : connections) send_all(one.socket, load.request);
  std::array<epoll_event, 128> events{};
  std::array<char, 16384> piece{};
  while (std::chrono::steady_clock::now() - start < load.time) {
    const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < ready; ++i) {
      auto& one = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      const ssize_t got = ::recv(one.socket, piece.data(), piece.size(), 0);
      if (got <= 0) std::exit(1);
      one.text.append(piece.data(), static_cast<std::size_t>(got));
      bool is_200 = true;
      if (!take_answer(one.text, is_200)) continue;
      ++outcome.answers;
      outcome.all_200 = outcome.all_200 && is_200;
      send_all(one.socket, load.request);
    }
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (Connection& one : connections) ::close(one.socket);
  ::close(poll);
  return outcome;
}

}  // namespace posthorn::bench
