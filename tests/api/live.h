#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "posthorn/api/server.h"
#include "posthorn/loop/loop.h"

namespace posthorn::api::test {

/// A client that writes bytes and looks at bytes: what it says is exactly what the test says.
class Client {
 public:
  /// from: another address of loopback, as another machine.
  /// receive_buffer: of the kernel's; 0: as it likes.
  Client(loop::Loop& loop, std::uint16_t port, const char* from = "127.0.0.1",
         int receive_buffer = 0)
      : loop_(loop), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in me{};
    me.sin_family = AF_INET;
    inet_pton(AF_INET, from, &me.sin_addr);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&me), sizeof me), 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(socket_); }

  /// False: the other side has closed.
  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
      loop_.run_once(milliseconds(1));
    }
    return true;
  }
  /// What the socket takes at once, without a turn of the loop.
  std::size_t push(std::string_view text) {
    const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  /// Whether the other side has closed within so many turns.
  bool closed(int turns) {
    for (int i = 0; i < turns; ++i) {
      loop_.run_once(milliseconds(10));
      if (!receive()) return true;
    }
    return false;
  }
  /// Runs the loop until one whole answer is there; "" when the connection closed or time is up.
  std::string read() {
    for (int turns = 0; turns < 1000; ++turns) {
      if (auto answer = take()) return *answer;
      loop_.run_once(milliseconds(10));
      if (!receive()) return std::exchange(text_, "");
    }
    return "(no answer in time) " + text_;
  }
  /// What has come within some turns of the loop.
  std::string peek(int turns = 20) {
    for (int i = 0; i < turns; ++i) {
      loop_.run_once(milliseconds(2));
      receive();
    }
    return text_;
  }

 private:
  bool receive() {
    std::array<char, 65536> piece{};
    const ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got > 0) text_.append(piece.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && errno == EAGAIN);
  }
  std::optional<std::string> take() {
    const std::size_t head = text_.find("\r\n\r\n");
    if (head == std::string::npos) return std::nullopt;
    if (text_.starts_with("HTTP/1.1 100")) {
      const std::string interim = text_.substr(0, head + 4);
      text_.erase(0, head + 4);
      return interim;
    }
    const std::size_t field = text_.find("Content-Length: ");
    const std::size_t length =
        field < head ? std::strtoul(text_.c_str() + field + 16, nullptr, 10) : 0;
    if (text_.size() < head + 4 + length) return std::nullopt;
    std::string answer = text_.substr(0, head + 4 + length);
    text_.erase(0, head + 4 + length);
    return answer;
  }

  loop::Loop& loop_;
  int socket_;
  std::string text_;
};

/// Hands requests to whatever the test wants.
struct Handler final : RequestHandler {
  [[nodiscard]] Terms terms(const Request& head) override {
    Terms out;
    out.body_limit = limit;
    out.trusted = head.path != "/stranger";
    out.any_origin = true;
    if (make_sink) out.sink = make_sink();
    if (make_sink_for) out.sink = make_sink_for(head);
    return out;
  }
  void handle(Request request, Reply reply) override {
    last = std::move(request);
    if (act) act(last);
    if (answer) {
      answer(last, std::move(reply));
    } else if (hold) {
      held.push_back(std::move(reply));
    } else if (next) {
      reply.send(*next);
    } else {
      reply.send(Response{.body = "[" + last.body + "]", .headers = {{"X-Extra", "1"}}});
    }
  }

  std::optional<Response> next;
  std::function<std::unique_ptr<BodySink>()> make_sink;
  std::function<std::unique_ptr<BodySink>(const Request& head)> make_sink_for;
  std::function<void(Request request, Reply reply)> answer;
  std::function<void(const Request&)> act;
  std::size_t limit = 1000;
  bool hold = false;
  Request last;
  std::vector<Reply> held;
};

struct Shop {
  loop::Loop loop;
  Handler handler;
  ServerOptions options;
  std::unique_ptr<Server> server = start();

  explicit Shop(ServerOptions more = {}) : options(std::move(more)) {}

  std::unique_ptr<Server> start() {
    options.listen = "0.0.0.0";
    options.port = 0;
    auto served = serve(loop, options, handler);
    EXPECT_TRUE(served);
    return served ? std::move(*served) : nullptr;
  }
  [[nodiscard]] std::uint16_t port() const { return server->port(); }
};

}  // namespace posthorn::api::test
